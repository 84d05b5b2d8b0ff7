import Control

/// What a reload did, as Control shows it. Settings has a type of the same name for the same thing: the two rooms do
/// not know each other.
typealias ReloadOutcome = ReloadResult
