# Shared by install, upgrade, rollback and manage: paths, and how a release is installed and switched to.
# Sourced, never run. POSIX sh; the sourcing script has set -eu and calls `begin` first.
# shellcheck shell=sh

ETC=/etc/ibanse
CREDENTIALS=$ETC/credentials
RELEASES=/opt/ibanse/releases
CURRENT=/opt/ibanse/current
PREVIOUS=/opt/ibanse/previous
STATE=/var/lib/ibanse
SOCKET=/run/ibanse/gunicorn.sock
SECRETS='IBANSE_SECRET_KEY IBANSE_SIGNING_KEYS IBANSE_MASTER_KEYS IBANSE_PEPPERS EMAIL_URL'
RETAINED_RELEASES=3

# The group, which ibanse-erase is in, may write; others read nothing.
mask=007
dry_run=
unsigned=
signers=$ETC/allowed_signers
staged=
unpacked=
changes=0
step=
remedy=

# --- Output ----------------------------------------------------------------------------------------------------------

refuse() {
    step=
    echo "$1" >&2
    exit 1
}

# `at STEP REMEDY`: name the step that begins, and what helps when it fails.
at() {
    step=$1
    remedy=$2
}

failed() {
    status=$?
    trap - EXIT
    rm -rf ${staged:+"$staged"} ${unpacked:+"$unpacked"}
    if [ "$status" -ne 0 ] && [ -n "$step" ]; then
        echo "Failed at: $step." >&2
        echo "What helps: $remedy. Then run this again; completed steps are not repeated." >&2
    fi
    exit "$status"
}

begin() {
    trap failed EXIT
    umask 022
    [ "$(id -u)" -eq 0 ] || refuse "This needs root: run it with sudo."
}

# `change MESSAGE COMMAND [ARGUMENT…]`: print, count and make a change; the only way in which anything is changed.
change() {
    changes=$((changes + 1))
    if [ -n "$dry_run" ]; then
        echo "Would: $1"
        return
    fi
    echo "$1"
    shift
    "$@"
}

is_booted() { [ -d /run/systemd/system ]; }

# --- Folders of other users ------------------------------------------------------------------------------------------

# `as_owner USER COMMAND…`: the only way to touch anything in another user's folder: those in $STATE, PostgreSQL's and the
# cache's. The owner of a folder can put a symbolic link into it at any moment, and root would follow it anywhere; as its
# owner the command reaches only what that user can reach anyway.
as_owner() {
    (
        owner=$1
        shift
        setpriv --reuid="$owner" --regid="$(id -gn "$owner")" --init-groups --no-new-privs "$@"
    )
}

refuse_link() {
    [ ! -L "$1" ] || refuse "$1 is a symbolic link, which ibanse never creates: find out who did, remove it, and run this again."
}

# --- Running manage.py -----------------------------------------------------------------------------------------------

# `as_role app|erase|owner RELEASE COMMAND…`: run manage.py of that release with the settings, secrets and user of a role.
as_role() {
    (
        role=$1
        cd "$2" || exit
        shift 2
        set -a
        # shellcheck disable=SC1091 # written by install
        . "$ETC/ibanse.env"
        for secret in $SECRETS; do
            eval "$secret=\$(cat '$CREDENTIALS/$secret')"
        done
        user=ibanse
        if [ "$role" != app ]; then
            # shellcheck disable=SC1090 # as above
            . "$ETC/$role.env"
            user=ibanse-$role
        fi
        HOME=/nonexistent
        set +a
        umask "$mask"
        as_owner "$user" .venv/bin/python manage.py "$@"
    )
}

# --- Releases --------------------------------------------------------------------------------------------------------

# Write the files of a release as a tar stream, sorted and without dates or owners, so that equal trees are equal bytes.
pack_release() {
    tar -C "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=a+rX,u+w,go-w \
        --exclude=./.git --exclude=./.venv --exclude=./.data --exclude=./.cache --exclude='./.*_cache' \
        --exclude=./.hypothesis --exclude='__pycache__' --exclude=./dist --exclude=./installed -cf - .
}

version_of() { sed -n 's/^version = "\(.*\)"$/\1/p' "$1/pyproject.toml"; }

# The id is the version and a checksum of all files, so that the same release is never installed twice.
release_id() { echo "$(version_of "$1")-$(pack_release "$1" | sha256sum | cut -c1-12)"; }

current_id() {
    [ -L "$CURRENT" ] || return 0
    basename "$(readlink "$CURRENT")"
}

# `stage FOLDER`: copy a release to $staged, where only root can write, and verify the copy: nobody can change it
# afterwards. It is removed at the end.
stage() {
    at "reading $1" "name a folder or an archive that contains ibanse, and check that /tmp has enough free space"
    staged=$(mktemp -d)
    pack_release "$1" | tar -C "$staged" --no-same-owner -xf -
    if [ -n "$unsigned" ]; then
        # Generated files are generated again; results and signatures are for signed releases only.
        (cd "$staged" && find . \( -name '*.mo' -o -path ./deploy/data.md -o -path ./evidence.json \
            -o -path ./sbom.cdx.json -o -path ./SHA256SUMS -o -path ./SHA256SUMS.sig \) ! -type d -delete)
    elif [ -n "$dry_run" ] && ! command -v ssh-keygen >/dev/null; then
        echo "Not verified now, since ssh-keygen is not installed yet."
    else
        at "verifying $1" "use the archive of a release and the allowed signers of its author; --unsigned accepts a folder as it is"
        "$(dirname "$(readlink -f "$0")")/verify" "$staged" "$signers"
    fi
}

make_release() {
    at "installing the release $RELEASES/$2" \
        "read the messages above: pip needs the package index, and $RELEASES needs 300 MB of free space"
    rm -rf "${RELEASES:?}/$2"
    mkdir -p "$RELEASES/$2"
    pack_release "$1" | tar -C "$RELEASES/$2" --no-same-owner -xf -
    # Start from the packages of the current release: bootstrap compares the lock and fetches only what differs.
    [ ! -d "$CURRENT/.venv" ] || cp -a --reflink=auto "$CURRENT/.venv" "$RELEASES/$2/.venv"
    (
        cd "$RELEASES/$2" || exit
        IBANSE_VENV=.venv PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore deploy/bootstrap run
        .venv/bin/python -m ibanse.catalogues
        # The service cannot write here later, so everything is compiled now.
        .venv/bin/python -m compileall -q manage.py ibanse accounts apikeys privacy validation deploy
        chown -R root:root .
        chmod -R a+rX,go-w .
        touch installed
    )
}

migrate() {
    at "migrating the database" "read the messages above; the current release continues to serve"
    as_role owner "$1" migrate --database default --no-input --skip-checks --verbosity 0
    psql_as_owner "$1" --file="$1/deploy/postgresql/rights.sql" \
        --command="COMMENT ON SCHEMA public IS 'rights $(rights_sum "$1")'"
    as_role owner "$1" sync_staff_groups --skip-checks --verbosity 0
}

migrate_keyring() {
    at "migrating the keyring" "read the messages above, and check that the user ibanse can write to $STATE/keyring"
    as_role app "$1" migrate --database keyring --no-input --skip-checks --verbosity 0
}

rights_sum() { sha256sum <"$1/deploy/postgresql/rights.sql" | cut -c1-16; }

rights_are_current() {
    applied=$(psql_as_owner "$1" --tuples-only --no-align --command="SELECT obj_description('public'::regnamespace)")
    [ "$applied" = "rights $(rights_sum "$1")" ]
}

# `psql_as_owner RELEASE OPTION…`: run psql on the database of the settings, which may be on another machine.
psql_as_owner() {
    release=$1
    shift
    as_role owner "$release" dbshell -- --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "$@"
}

# Is PostgreSQL on this machine, so that install configures it?
database_is_local() { [ ! -f "$ETC/owner.env" ] || grep -q '^DATABASE_URL=.*@%2Frun%2Fpostgresql/' "$ETC/owner.env"; }

collect_static() {
    at "collecting the static files" "check that the user ibanse can write to $STATE/static"
    # nginx, which serves them, is neither owner nor group.
    mask=022
    as_role app "$1" collectstatic --no-input --skip-checks --verbosity 0
    mask=007
}

replace_link() {
    ln -sfn "$2" "$1.new"
    mv -T "$1.new" "$1"
}

# `switch_to ID`: make this release the current one. A restart loses no request: systemd holds the socket, and callers wait.
switch_to() {
    replaced=$(current_id)
    collect_static "$RELEASES/$1"
    [ -z "$replaced" ] || [ "$replaced" = "$1" ] || replace_link "$PREVIOUS" "$RELEASES/$replaced"
    replace_link "$CURRENT" "$RELEASES/$1"
}

restart_and_check() {
    at "starting ibanse" "read its log: journalctl --unit ibanse --lines 50"
    # Without a running process the health check would only wait, and callers with it.
    systemctl restart ibanse.service || return 1
    is_healthy
}

# Does it respond, and reach its database, keyring and counters? With the headers that nginx sends.
is_healthy() {
    host=$(sed -n 's/^IBANSE_HOSTS="\{0,1\}\([^",]*\).*/\1/p' "$ETC/ibanse.env")
    tries=0
    until curl --silent --show-error --fail --max-time 20 --output /dev/null --unix-socket "$SOCKET" \
        --header "Host: $host" --header "X-Forwarded-Proto: https" --header "X-Real-IP: 127.0.0.1" \
        "http://localhost/health/ready"; do
        tries=$((tries + 1))
        [ "$tries" -lt 5 ] || return 1
        sleep 1
    done
}

# Retain the newest releases, the current one and the previous one.
remove_old_releases() {
    find "$RELEASES" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %f\n' | sort -rn | cut -d' ' -f2 |
        tail -n "+$((RETAINED_RELEASES + 1))" | while read -r old; do
        [ "$old" = "$(current_id)" ] || [ "$old" = "$(basename "$(readlink "$PREVIOUS")")" ] || rm -rf "${RELEASES:?}/$old"
    done
}
