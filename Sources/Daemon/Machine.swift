import Glibc

/// Names this boot of the machine; empty where the kernel does not say.
func bootID() -> String {
    guard let file = fopen("/proc/sys/kernel/random/boot_id", "re") else { return "" }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 64)
    guard fgets(&line, Int32(line.count), file) != nil else { return "" }
    return String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Bits that no other daemon has, for trace ids.
func randomSeed() -> UInt64 { UInt64.random(in: 0 ... .max) }
