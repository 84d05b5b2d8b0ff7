import Scheduling

/// The table `group_hold`.
enum GroupHoldRow {
    static let columns = ["name", "until_us", "is_relative", "since_us", "run", "is_released"]

    static func bind(_ hold: GroupHold, to statement: Statement) {
        statement.bind(hold.group)
        statement.bind(hold.until)
        statement.bind(hold.isRelative)
        statement.bind(hold.since)
        statement.bind(hold.run)
        statement.bind(hold.isReleased)
    }

    static func read(_ statement: Statement) -> GroupHold {
        let group = statement.text()
        let until = statement.instantIfAny()
        let isRelative = statement.integer() != 0
        var hold = GroupHold(group: group, until: until, since: statement.instant(), run: statement.textIfAny())
        hold.isRelative = isRelative
        hold.isReleased = statement.integer() != 0
        return hold
    }
}
