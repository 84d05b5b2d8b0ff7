import Testing

@testable import botcron_send

/// Hashes, codes and signatures, against what their standards say.
@Suite struct SignatureTests {
    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// FIPS 180-4, the examples of NIST; and every length about the end of a block.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func `a hash is that of the standard`(text: String, hash: String) {
        #expect(hex(SHA256.hash(Array(text.utf8))) == hash)
    }

    /// RFC 4231, cases 1, 2 and 6.
    @Test(arguments: [
        (
            [UInt8](repeating: 0x0b, count: 20), "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ])
    func `a code is that of the standard`(key: [UInt8], text: String, code: String) {
        #expect(hex(SHA256.code(of: Array(text.utf8), key: key)) == code)
    }

    /// RFC 4648, section 10.
    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")])
    func `base64 goes both ways`(text: String, coded: String) {
        #expect(Base64.text(of: Array(text.utf8)) == coded)
        #expect(Base64.bytes(of: coded) == Array(text.utf8))
    }

    @Test(arguments: ["Z", "Zg=a", "Z-==", "Zg===", "Zm9v\n"])
    func `what is no base64 is none`(text: String) {
        #expect(Base64.bytes(of: text) == nil)
    }

    /// The example that the libraries of Standard Webhooks are tested with.
    @Test func `a signature is that of the standard's own example`() {
        let headers = Signature.headers(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", seconds: 1_614_265_330, body: #"{"test": 2432232314}"#,
            secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "plain"])
        #expect(headers.count == 3)
        #expect(headers[0] == "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek")
        #expect(headers[1] == "webhook-timestamp: 1614265330")
        #expect(headers[2].hasPrefix("webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1,"))
    }

    @Test func `without a secret nothing is signed`() {
        #expect(Signature.headers(id: "m", seconds: 1, body: "{}", secrets: []).count == 2)
    }
}
