# Takes the place of the last line of deploy/install: only what it does in /var/lib/ibanse. Refusing ends a subshell.
# shellcheck shell=sh disable=SC2154
begin
(make_folders)
(share_keyring "$STATE/keyring/keyring.sqlite3")
:
