import Glibc
import Testing

/// Runs each test of a suite on a thread of its own, a few of them at a time.
///
/// A test that waits for a daemon holds its thread. Swift's own pool has one thread for each processor: on it most
/// tests would wait for a free thread while nothing happens on the machine.
struct OwnThread: SuiteTrait, TestTrait, TestScoping {
    let isRecursive = true

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        await Turnstile.shared.enter()
        let thread = ThreadExecutor()
        let result: Result<Void, any Error>
        do {
            result = .success(try await withTaskExecutorPreference(thread) { try await function() })
        } catch {
            result = .failure(error)
        }
        thread.end()
        await Turnstile.shared.leave()
        try result.get()
    }
}

extension Trait where Self == OwnThread {
    static var ownThread: OwnThread { OwnThread() }
}

/// Lets in so many at a time, in the order in which they came.
private actor Turnstile {
    static let shared = Turnstile(places: 8)

    private var places: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(places: Int) {
        self.places = places
    }

    func enter() async {
        guard places == 0 else {
            places -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        if waiting.isEmpty {
            places += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}

/// One thread, and the work that waits for it.
private final class ThreadExecutor: TaskExecutor, @unchecked Sendable {
    // Guarded by the lock; that is why it is Sendable.
    private var jobs: [UnownedJob] = []
    private var isOver = false
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let change = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(lock, nil)
        pthread_cond_init(change, nil)
        var thread = pthread_t()
        // passRetained is paired with takeRetainedValue on the thread.
        let code = pthread_create(
            &thread, nil,
            { user in
                guard let user else { return nil }
                Unmanaged<ThreadExecutor>.fromOpaque(user).takeRetainedValue().work()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        precondition(code == 0, "no thread for a test: errno \(code)")
        pthread_detach(thread)
    }

    deinit {
        pthread_mutex_destroy(lock)
        pthread_cond_destroy(change)
        lock.deallocate()
        change.deallocate()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pthread_mutex_lock(lock)
        jobs.append(job)
        pthread_cond_signal(change)
        pthread_mutex_unlock(lock)
    }

    func end() {
        pthread_mutex_lock(lock)
        isOver = true
        pthread_cond_signal(change)
        pthread_mutex_unlock(lock)
    }

    private func work() {
        let executor = asUnownedTaskExecutor()
        pthread_mutex_lock(lock)
        while true {
            while jobs.isEmpty, !isOver { pthread_cond_wait(change, lock) }
            guard !jobs.isEmpty else { break }
            let job = jobs.removeFirst()
            pthread_mutex_unlock(lock)
            job.runSynchronously(on: executor)
            pthread_mutex_lock(lock)
        }
        pthread_mutex_unlock(lock)
    }
}
