"""Backups with restic: the main database for 35 days, the keyring for at most 7, and the erasure ledger, apart.

`deploy/backup/ibanse-backup` lists the commands; deploy/backup/README.md explains their use.

**Why restic rather than borg**: both encrypt before anything leaves the machine, deduplicate, and are Debian packages.
restic needs only SFTP or a folder on the target, so that a Storage Box works as it is and a test needs no server; it
reads a database from a pipe, so that no unencrypted copy is on disk; and a repository can have several passwords, so
that the recovery password is not the server's. borg must be installed on the target too.

**Two repositories, two passwords.** A deleted client is unreadable everywhere once the last backup of its data key is
gone; so keyring backups must be gone in 7 days, and main ones, whose encrypted parts need the keyring, may stay for 35.

**Why not append-only.** restic (over rclone or a REST server) and borg can refuse to delete. Then nothing is pruned
unless somebody prunes with full rights and trusts what an intruder has written meanwhile, such as snapshots dated in
the future that displace the good ones. And this server must delete keyring backups in time, or the promise above is
false. So the server may delete, and an intruder on it may too; the *snapshots of the Storage Box*, which no SFTP
account can change, protect against that. README.md explains how, and how many days they cost.

**What the server can read**: restic's encryption is symmetric, so whoever can write a backup can read it. The server
has its own password, as a credential of its units; the recovery password is another one and leaves the machine when it
is created. The master keys are in no backup: otherwise backups and keys would be lost, or stolen, together.

Standard library only, except for mailing an alarm: it must run when little else does.
"""
