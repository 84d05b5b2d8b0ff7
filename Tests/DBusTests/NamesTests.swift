import TestSupport
import Testing

@testable import DBus

@Suite struct NamesTests {
    struct Row: Sendable {
        let text: String
        let isPath, isInterface, isMember, isBusName: Bool
    }

    private static let long = String(repeating: "a", count: 253)

    @Test(arguments: [
        Row(text: "", isPath: false, isInterface: false, isMember: false, isBusName: false),
        Row(text: "/", isPath: true, isInterface: false, isMember: false, isBusName: false),
        Row(text: "/a/b_1", isPath: true, isInterface: false, isMember: false, isBusName: false),
        Row(text: "/a/", isPath: false, isInterface: false, isMember: false, isBusName: false),
        Row(text: "/a//b", isPath: false, isInterface: false, isMember: false, isBusName: false),
        Row(text: "/é", isPath: false, isInterface: false, isMember: false, isBusName: false),
        Row(text: "/a\0b", isPath: false, isInterface: false, isMember: false, isBusName: false),
        Row(text: "a.b", isPath: false, isInterface: true, isMember: false, isBusName: true),
        Row(text: "a.b\0", isPath: false, isInterface: false, isMember: false, isBusName: false),
        Row(text: "a-b.c", isPath: false, isInterface: false, isMember: false, isBusName: true),
        Row(text: "a..b", isPath: false, isInterface: false, isMember: false, isBusName: false),
        Row(text: "a.1b", isPath: false, isInterface: false, isMember: false, isBusName: false),
        Row(text: "run_job", isPath: false, isInterface: false, isMember: true, isBusName: false),
        Row(text: "1run", isPath: false, isInterface: false, isMember: false, isBusName: false),
        Row(text: ":1.5", isPath: false, isInterface: false, isMember: false, isBusName: true),
        Row(text: "a." + long, isPath: false, isInterface: true, isMember: false, isBusName: true),
        Row(text: "ab." + long, isPath: false, isInterface: false, isMember: false, isBusName: false),
    ])
    func namesAreCheckedAsTheSpecificationSays(_ row: Row) {
        #expect(ObjectPath.isValid(row.text) == row.isPath)
        #expect(InterfaceName.isValid(row.text) == row.isInterface)
        #expect(ErrorName.isValid(row.text) == row.isInterface)
        #expect(MemberName.isValid(row.text) == row.isMember)
        #expect(BusName.isValid(row.text) == row.isBusName)
        let variable = row.text
        #expect((ObjectPath(variable) != nil) == row.isPath)
    }

    @Test(arguments: [
        ("", true), ("s", true), ("sa{sv}", true), ("a(ii)", true), ("a", false), ("a{vs}", false), ("()", false),
        ("(s", false), ("z", false), ("s\0", false), (String(repeating: "a", count: 33) + "y", false),
        (String(repeating: "y", count: 255), true), (String(repeating: "y", count: 256), false),
    ])
    func signaturesAreChecked(_ text: String, _ isValid: Bool) {
        #expect(Signature.isValid(text) == isValid)
    }

    @Test func aSignatureIsSplitIntoItsCompleteTypes() {
        let signature: Signature = "sa{sv}(ia(yy))aasv"
        #expect(signature.completeTypes == ["s", "a{sv}", "(ia(yy))", "aas", "v"])
        #expect(Signature.empty.completeTypes.isEmpty)
    }

    @Test func anyTypeReadsBackAsItWasSpelt() throws {
        var values = RandomValues(random: SeededGenerator(seed: 7))
        for _ in 0..<2000 {
            let text = values.signature()
            let signature = try #require(Signature(text), "\(text)")
            #expect(ValueType(signature)?.text == text)
        }
    }

    /// The rows of sd_bus_path_encode(3)'s rule: bytes other than letters, digits and no digit in front.
    @Test(arguments: [
        ("", "_"), ("daily", "daily"), ("daily_standup", "daily_5fstandup"), ("1st", "_31st"), ("a1", "a1"),
        ("a b/c", "a_20b_2fc"), ("é", "_c3_a9"), ("_", "_5f"),
    ])
    func anElementIsEscapedReversibly(_ text: String, _ element: String) {
        #expect(ObjectPath.escape(text) == element)
        #expect(ObjectPath.unescape(element) == text)
    }

    @Test func anyTextMakesAnElementAndComesBack() {
        var values = RandomValues(random: SeededGenerator(seed: 11))
        for _ in 0..<2000 {
            let text = values.text()
            let path = ObjectPath.root.appending("jobs").appending(text)
            #expect(ObjectPath.isValid(path.text), "\(path)")
            #expect(ObjectPath.unescape(ObjectPath.escape(text)) == text)
        }
    }

    @Test(arguments: ["_5", "_zz", "1a", "a b", "_61", "_5F"])
    func whatEscapeNeverMakesIsNotUnescaped(_ element: String) {
        #expect(ObjectPath.unescape(element) == nil)
    }

    @Test(arguments: [
        ("/", "/a", true), ("/", "/", false), ("/a", "/a/b", true), ("/a", "/ab", false), ("/a", "/a", false),
        ("/a/b", "/a", false),
    ])
    func aPathContainsWhatIsBelowIt(_ above: String, _ below: String, _ contains: Bool) {
        #expect(ObjectPath(trusted: above).contains(ObjectPath(trusted: below)) == contains)
    }

    @Test func matchRulesAreQuoted() {
        let rule = MatchRule(
            sender: "org.a", path: "/a", interface: "a.b", member: "M", firstArgument: "it's")
        let expected = "type='signal',sender='org.a',path='/a',interface='a.b',member='M',arg0='it'\\''s'"
        #expect(rule.text == expected)
    }
}
