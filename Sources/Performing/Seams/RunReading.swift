public import Scheduling

/// What runs write, and say of themselves while they run.
public protocol RunReading: AnyObject {
    /// Bytes of an attempt's output from an offset on; `nextOffset` is what to ask for next.
    func output(run: String, attempt: Int, from offset: Int, limit: Int) -> (bytes: [UInt8], nextOffset: Int)
    /// The run with what its process has said of itself so far: on record that is only when the attempt has ended.
    func current(_ run: Run) -> Run
    /// Called when a run has said something of itself, or stalls.
    var onRemark: (_ run: String) -> Void { get set }
}
