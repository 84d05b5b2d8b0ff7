import CCurl
import Glibc

/// One transfer of libcurl: the only door to it here.
///
/// What libcurl says of an error holds names and addresses of the transfer; here its code alone is put into words.
final class Transfer {
    private let handle: UnsafeMutableRawPointer
    private var lists: [UnsafeMutablePointer<curl_slist>?] = []
    /// What is sent, and how much of it has been.
    private var body: [UInt8] = []
    private var offset = 0
    /// How much of what was answered came; all of it is dropped.
    private var received = 0

    /// More of an answer is not read.
    private static let answerBytesMax = 64 << 10

    /// - Returns: nil where there is no memory for it.
    init?() {
        guard curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK, let handle = curl_easy_init() else { return nil }
        self.handle = handle
        bc_curl_set_number(handle, CURLOPT_NOSIGNAL, 1)
        // A look-up of a name that takes too long is not waited for.
        bc_curl_set_number(handle, CURLOPT_QUICK_EXIT, 1)
        let own = Unmanaged.passUnretained(self).toOpaque()
        // The handle goes with this object.
        bc_curl_set_pointer(handle, CURLOPT_WRITEDATA, own)
        bc_curl_set_writer(handle) { _, size, count, own in
            guard let own else { return 0 }
            return Unmanaged<Transfer>.fromOpaque(own).takeUnretainedValue().drop(size * count)
        }
        bc_curl_set_pointer(handle, CURLOPT_READDATA, own)
        bc_curl_set_reader(handle) { buffer, size, count, own in
            guard let own, let buffer else { return 0 }
            return Unmanaged<Transfer>.fromOpaque(own).takeUnretainedValue().fill(buffer, size * count)
        }
    }

    deinit {
        curl_easy_cleanup(handle)
        for list in lists { curl_slist_free_all(list) }
    }

    private func drop(_ count: Int) -> Int {
        received += count
        return received > Self.answerBytesMax ? 0 : count
    }

    private func fill(_ buffer: UnsafeMutablePointer<CChar>, _ count: Int) -> Int {
        let part = body[offset..<min(offset + count, body.count)]
        part.withUnsafeBytes { if let start = $0.baseAddress { memcpy(buffer, start, $0.count) } }
        offset += part.count
        return part.count
    }

    // MARK: - What is to be done

    func set(_ option: CURLoption, _ number: Int) { bc_curl_set_number(handle, option, number) }

    /// The text is copied.
    func set(_ option: CURLoption, _ text: String) { bc_curl_set_text(handle, option, text) }

    func set(_ option: CURLoption, list: [String]) {
        var items: UnsafeMutablePointer<curl_slist>?
        for item in list { items = curl_slist_append(items, item) }
        lists.append(items)
        bc_curl_set_pointer(handle, option, items)
    }

    /// What is sent by the transfer's reading of it.
    func upload(_ bytes: [UInt8]) {
        body = bytes
        set(CURLOPT_UPLOAD, 1)
    }

    // MARK: - Doing it

    /// - Parameter milliseconds: it has so long, from the search for the host to the last byte.
    func perform(within milliseconds: Int) -> CURLcode {
        set(CURLOPT_TIMEOUT_MS, max(1, milliseconds))
        offset = 0
        received = 0
        return curl_easy_perform(handle)
    }

    /// Of the answer; 0 where there was none.
    var status: Int {
        var status = 0
        bc_curl_get_number(handle, CURLINFO_RESPONSE_CODE, &status)
        return status
    }

    /// Where an answer leads to.
    var redirection: String? {
        var text: UnsafeMutablePointer<CChar>?
        bc_curl_get_text(handle, CURLINFO_REDIRECT_URL, &text)
        return text.map { String(cString: $0) }
    }

    /// What went wrong, in words that hold nothing of the transfer.
    static func reason(_ code: CURLcode) -> String {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST: "no host is called so, or its name cannot be looked up now"
        case CURLE_COULDNT_RESOLVE_PROXY: "the proxy's name cannot be looked up"
        case CURLE_COULDNT_CONNECT: "no connection to it"
        case CURLE_OPERATION_TIMEDOUT: "no answer in time"
        case CURLE_PEER_FAILED_VERIFICATION: "its certificate is not trusted"
        case CURLE_SSL_CACERT_BADFILE: "the file of trusted certificates cannot be read"
        case CURLE_USE_SSL_FAILED: "it does not speak TLS, which is required"
        case CURLE_LOGIN_DENIED: "it does not take the user and the password"
        default: String(cString: curl_easy_strerror(code))
        }
    }
}
