"""Backups with restic: the main database for 35 days, the keyring for at most 7, and the erasure ledger, apart.

`deploy/backup/ibanse-backup` says what it can do; deploy/backup/README.md says how a person uses it.

**restic, and not borg**: both encrypt before anything leaves the machine, keep equal data once, and are Debian
packages. restic needs nothing on the other side but SFTP, or a folder, so that a Storage Box serves as it is and a test
needs no server; it takes a database from a pipe, so that no copy in clear touches a disk; and one repository opens with
several passwords, so that the one in the safe is not the one on the server. borg needs a borg of its own over there.

**Two repositories, two passwords.** A deleted client is unreadable everywhere once the last backup of its data key is
gone; so keyring backups must be gone in 7 days, and main ones, whose sealed parts nobody opens without a keyring, may
stay for 35.

**What append-only protects from, and what not.** restic (over rclone or a REST server) and borg can refuse to delete;
then nothing is ever pruned, unless somebody prunes with full rights and trusts what an intruder has written meanwhile:
snapshots dated into the future, say, which push the good ones out. And this server must delete keyring backups in time,
or the promise above is false. So here the server may delete, and an intruder on it may too; what stands against that
are the *snapshots of the Storage Box*, which no SFTP account can touch. README.md says how, and what they cost in days.

**What the server holds**: restic's encryption is symmetric, so whoever can write a backup can read it. The server has a
password of its own, as a credential of its units; the one in the safe is another, and leaves the machine when it is
made. The master keys are in no backup: with them, backups and keys would be lost, or stolen, together.

Standard library only, apart from the mail of an alarm: it must run when little else does.
"""
