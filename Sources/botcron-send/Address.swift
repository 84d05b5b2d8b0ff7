import CCurl

/// A web address, taken apart by libcurl, so that nobody here reads it in another way than who calls it.
struct Address {
    let scheme: String
    let host: String
    let port: String

    /// Nil for what is no address.
    init?(_ text: String) {
        guard let handle = curl_url() else { return nil }
        defer { curl_url_cleanup(handle) }
        guard curl_url_set(handle, CURLUPART_URL, text, 0) == CURLUE_OK,
            let scheme = Self.part(CURLUPART_SCHEME, of: handle), let host = Self.part(CURLUPART_HOST, of: handle)
        else { return nil }
        self.scheme = scheme
        self.host = host.lowercased()
        port = Self.part(CURLUPART_PORT, of: handle, UInt32(CURLU_DEFAULT_PORT)) ?? ""
    }

    private static func part(_ part: CURLUPart, of handle: OpaquePointer, _ flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }

    /// Whether what is meant for this address may be told to another one: to the same server, and no less secretly.
    func mayLead(to other: Address) -> Bool {
        guard host == other.host else { return false }
        if scheme == other.scheme { return port == other.port }
        return (scheme, port) == ("http", "80") && (other.scheme, other.port) == ("https", "443")
    }
}
