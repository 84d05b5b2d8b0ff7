/// The headers of a web hook that say whose it is and that nobody has changed it, as standardwebhooks.com has them.
enum Signature {
    private static let prefix = "whsec_"

    /// - Parameters:
    ///   - id: of the message; the same however often it is sent.
    ///   - seconds: since 1970, when it is sent.
    ///   - secrets: the first signs first. Without one nothing is signed.
    static func headers(id: String, seconds: Int, body: String, secrets: [String]) -> [String] {
        var headers = ["webhook-id: \(id)", "webhook-timestamp: \(seconds)"]
        let signed = Array("\(id).\(seconds).\(body)".utf8)
        let codes = secrets.map { "v1," + Base64.text(of: SHA256.code(of: signed, key: key($0))) }
        if !codes.isEmpty { headers.append("webhook-signature: " + codes.joined(separator: " ")) }
        return headers
    }

    /// Bytes in base64 behind `whsec_`, or a plain text.
    private static func key(_ secret: String) -> [UInt8] {
        guard secret.hasPrefix(prefix), let bytes = Base64.bytes(of: secret.dropFirst(prefix.count)) else {
            return Array(secret.utf8)
        }
        return bytes
    }
}
