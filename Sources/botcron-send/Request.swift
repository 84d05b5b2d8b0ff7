import JSON

/// What is to be sent, as the daemon says it on standard input: nothing that is secret stands in an argument.
enum Request {
    case post(Post)
    case mail(Mail)

    /// A call of a web address.
    struct Post {
        var url: String
        /// Nil: nothing is posted, the address is only called.
        var body: String?
        /// That of `body`.
        var type = "application/json"
        /// Of the message, where it is one for a web hook that checks signatures.
        var id: String?
        var secrets: [String] = []
        var certificates: String?
    }

    struct Mail {
        var url: String
        var user: String?
        var password: String?
        var needsTLS = true
        var from: String
        var to: [String]
        /// The whole message, with its headers.
        var text: String
        var certificates: String?
    }

    /// Nil where it is no request.
    init?(_ bytes: [UInt8]) {
        guard let value = try? JSONValue(parsing: String(decoding: bytes, as: UTF8.self)) else { return nil }
        if let post = value["post"].flatMap(Post.init) {
            self = .post(post)
        } else if let mail = value["mail"].flatMap(Mail.init) {
            self = .mail(mail)
        } else {
            return nil
        }
    }
}

extension Request.Post {
    init?(_ value: JSONValue) {
        guard let url = value["url"]?.stringValue else { return nil }
        self.url = url
        body = value["body"]?.stringValue
        type = value["type"]?.stringValue ?? type
        id = value["id"]?.stringValue
        secrets = value["secrets"]?.arrayValue?.compactMap(\.stringValue) ?? []
        certificates = value["certificates"]?.stringValue
        for text in [type, id ?? ""] where text.utf8.contains(where: { $0 < 0x20 }) { return nil }
    }
}

extension Request.Mail {
    init?(_ value: JSONValue) {
        guard let url = value["url"]?.stringValue, let from = value["from"]?.stringValue,
            let to = value["to"]?.arrayValue?.compactMap(\.stringValue), !to.isEmpty,
            let text = value["text"]?.stringValue
        else { return nil }
        (self.url, self.from, self.to, self.text) = (url, from, to, text)
        user = value["user"]?.stringValue
        password = value["password"]?.stringValue
        needsTLS = value["tls"]?.boolValue ?? needsTLS
        certificates = value["certificates"]?.stringValue
    }
}
