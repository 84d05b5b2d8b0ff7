internal import Glibc

/// strlen(3), for files that have no other use for Glibc.
func cStringLength(_ start: UnsafePointer<CChar>) -> Int { strlen(start) }

extension String {
    /// A copy of a C string that libdbus lends; nil for NULL.
    init?(lent text: UnsafePointer<CChar>?) {
        guard let text else { return nil }
        self.init(cString: text)
    }
}
