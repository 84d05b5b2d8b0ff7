extension Interface {
    /// The interface as introspection shows it, indented to stand in a `<node>`. The order is that of the declaration,
    /// so the text is the same each time and can be compared with a file.
    public var xml: String {
        var xml = XMLText()
        xml.write(self)
        return xml.text
    }

    /// A whole introspection document with only this interface, as kept in a file.
    public var xmlDocument: String { XMLText.document([self]) }
}

/// Introspection XML, in the layout of GLib's tools: two blanks a level, one element a line.
struct XMLText {
    private(set) var text = ""
    private var level = 1

    static func document(_ interfaces: [Interface]) -> String {
        var xml = XMLText()
        xml.beginDocument(interfaces)
        xml.endDocument()
        return xml.text
    }

    mutating func beginDocument(_ interfaces: [Interface]) {
        text += """
            <!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
             "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
            <node>

            """
        for interface in interfaces { write(interface) }
    }

    /// The last element of a path below.
    mutating func writeChild(_ element: String) { line("<node name=\"\(element)\"/>") }

    mutating func endDocument() { text += "</node>\n" }

    mutating func write(_ interface: Interface) {
        element("interface", "name=\"\(interface.name)\"") { xml in
            xml.annotations(interface.annotations, interface.documentation)
            for method in interface.methods {
                xml.write(method)
            }
            for signal in interface.signals {
                xml.element("signal", "name=\"\(signal.name)\"") { xml in
                    xml.annotations(signal.annotations, signal.documentation)
                    for argument in signal.arguments {
                        xml.write(argument, direction: nil)
                    }
                }
            }
            for property in interface.properties {
                xml.write(property)
            }
        }
    }

    private mutating func write(_ method: Method) {
        element("method", "name=\"\(method.name)\"") { xml in
            xml.annotations(method.annotations, method.documentation)
            for argument in method.inputs {
                xml.write(argument, direction: "in")
            }
            for argument in method.outputs {
                xml.write(argument, direction: "out")
            }
        }
    }

    private mutating func write(_ property: Property) {
        let access = property.isWritable ? "readwrite" : "read"
        element("property", "name=\"\(property.name)\" type=\"\(property.signature)\" access=\"\(access)\"") { xml in
            var annotations = property.annotations
            if property.changeSignal != .yes {
                let name: InterfaceName = "org.freedesktop.DBus.Property.EmitsChangedSignal"
                annotations.append(Annotation(name, property.changeSignal.rawValue))
            }
            xml.annotations(annotations, property.documentation)
        }
    }

    private mutating func write(_ argument: Argument, direction: String?) {
        let direction = direction.map { " direction=\"\($0)\"" } ?? ""
        let name = Self.escaped(argument.name)
        element("arg", "name=\"\(name)\" type=\"\(argument.signature)\"\(direction)") { xml in
            xml.annotations([], argument.documentation)
        }
    }

    private mutating func annotations(_ annotations: [Annotation], _ documentation: String) {
        let documented = documentation.isEmpty ? [] : [Annotation("org.gtk.GDBus.DocString", documentation)]
        for annotation in documented + annotations {
            line("<annotation name=\"\(annotation.name)\" value=\"\(Self.escaped(annotation.value))\"/>")
        }
    }

    /// An element with what `content` writes inside, closed at once where that is nothing.
    private mutating func element(_ name: String, _ attributes: String, _ content: (inout XMLText) -> Void) {
        var inner = XMLText()
        inner.level = level + 1
        content(&inner)
        guard !inner.text.isEmpty else { return line("<\(name) \(attributes)/>") }
        line("<\(name) \(attributes)>")
        text += inner.text
        line("</\(name)>")
    }

    private mutating func line(_ line: String) {
        text += String(repeating: "  ", count: level) + line + "\n"
    }

    /// Text as an attribute value; XML has no way at all to carry most control characters, which become U+FFFD.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n": result += "&#10;"
            case "\t": result += "&#9;"
            case _ where scalar.value < 0x20: result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
