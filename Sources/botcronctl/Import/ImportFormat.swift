/// Whose jobs are brought over.
enum ImportFormat: String, CaseIterable {
    case crontab, systemd, at
}
