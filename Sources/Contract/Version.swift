/// The version of the daemon and of every program that comes with it.
public let botcronVersion = "0.1.0"
