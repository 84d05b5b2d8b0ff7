import CCurl
import Glibc

/// One sending, with its end.
struct Delivery {
    /// In seconds, for all of it.
    static let patience = 10
    private static let redirectionsMax = 3
    /// A call whose method and body these statuses keep.
    private static let redirections: Set = [301, 302, 307, 308]

    private let transfer: Transfer
    private let end = Self.milliseconds + patience * 1000

    /// - Returns: nil where there is no memory for it.
    init?() {
        guard let transfer = Transfer() else { return nil }
        self.transfer = transfer
    }

    private static var milliseconds: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }

    func deliver(_ request: Request) -> Answer {
        switch request {
        case .post(let post): deliver(post)
        case .mail(let mail): deliver(mail)
        }
    }

    // MARK: - The web

    private func deliver(_ post: Request.Post) -> Answer {
        guard var address = Address(post.url), ["http", "https"].contains(address.scheme) else {
            return .failed("what is configured is no web address")
        }
        set(post)
        var url = post.url
        for _ in 0...Self.redirectionsMax {
            transfer.set(CURLOPT_URL, url)
            let code = transfer.perform(within: end - Self.milliseconds)
            let status = transfer.status
            // What comes behind the status says nothing that counts.
            guard status >= 200 else { return .failed("\(address.host): \(Transfer.reason(code))") }
            guard Self.redirections.contains(status), let next = transfer.redirection else {
                return answer(status, address.host)
            }
            guard let other = Address(next), address.mayLead(to: other) else {
                return .failed("\(address.host) answered \(status), a way to another place, which is not taken")
            }
            (url, address) = (next, other)
        }
        return .failed("\(address.host) leads from one address to another without end")
    }

    private func set(_ post: Request.Post) {
        transfer.set(CURLOPT_PROTOCOLS_STR, "http,https")
        transfer.set(CURLOPT_FOLLOWLOCATION, 0)
        transfer.set(CURLOPT_USERAGENT, "BotCron")
        if let certificates = post.certificates { transfer.set(CURLOPT_CAINFO, certificates) }
        guard let body = post.body else { return }
        // What asks first, with a second's wait, is left out.
        var headers = ["Content-Type: \(post.type)", "Expect:"]
        if let id = post.id {
            headers += Signature.headers(id: id, seconds: time(nil), body: body, secrets: post.secrets)
        }
        transfer.set(CURLOPT_HTTPHEADER, list: headers)
        transfer.set(CURLOPT_POST, 1)
        transfer.set(CURLOPT_POSTFIELDSIZE, body.utf8.count)
        transfer.set(CURLOPT_COPYPOSTFIELDS, body)
    }

    private func answer(_ status: Int, _ host: String) -> Answer {
        switch status {
        case 200..<300: .sent
        case 410: .gone("\(host) answered 410: there is nothing at that address any more")
        default: .failed("\(host) answered \(status)")
        }
    }

    // MARK: - Mail

    private func deliver(_ mail: Request.Mail) -> Answer {
        guard let address = Address(mail.url), ["smtp", "smtps"].contains(address.scheme) else {
            return .failed("what is configured is no address of a mail server")
        }
        transfer.set(CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        transfer.set(CURLOPT_URL, mail.url)
        transfer.set(CURLOPT_USE_SSL, Int((mail.needsTLS ? CURLUSESSL_ALL : CURLUSESSL_NONE).rawValue))
        if let certificates = mail.certificates { transfer.set(CURLOPT_CAINFO, certificates) }
        if let user = mail.user { transfer.set(CURLOPT_USERNAME, user) }
        if let password = mail.password { transfer.set(CURLOPT_PASSWORD, password) }
        transfer.set(CURLOPT_MAIL_FROM, "<\(mail.from)>")
        transfer.set(CURLOPT_MAIL_RCPT, list: mail.to.map { "<\($0)>" })
        transfer.upload(Array(mail.text.utf8))
        let code = transfer.perform(within: end - Self.milliseconds)
        guard code != CURLE_OK else { return .sent }
        // What the server answered last is what it did not take.
        let status = transfer.status
        let answer = status >= 400 ? ", which answered \(status)" : ""
        return .failed("\(address.host)\(answer): \(Transfer.reason(code))")
    }
}
