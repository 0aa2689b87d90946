# What install, upgrade, rollback and manage have in common: where things lie, and how a release is made and changed to.
# Sourced, never run. POSIX sh; whoever sources it has set -eu and calls `begin` first.
# shellcheck shell=sh

ETC=/etc/ibanse
CREDENTIALS=$ETC/credentials
RELEASES=/opt/ibanse/releases
CURRENT=/opt/ibanse/current
PREVIOUS=/opt/ibanse/previous
STATE=/var/lib/ibanse
SOCKET=/run/ibanse/gunicorn.sock
SECRETS='IBANSE_SECRET_KEY IBANSE_SIGNING_KEYS IBANSE_MASTER_KEYS IBANSE_PEPPERS EMAIL_URL'
RELEASES_KEPT=3

# What is shared with ibanse-erase, it may write; others read nothing.
mask=007
dry_run=
unsigned=
signers=$ETC/allowed_signers
staged=
unpacked=
changes=0
step=
remedy=

# --- Speaking --------------------------------------------------------------------------------------------------------

refuse() {
    step=
    echo "$1" >&2
    exit 1
}

# Name the step that comes now, and what helps when it fails.
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
        echo "What helps: $remedy. Then run this again; what is done already stays." >&2
    fi
    exit "$status"
}

begin() {
    trap failed EXIT
    umask 022
    [ "$(id -u)" -eq 0 ] || refuse "Only root may do this: run it with sudo."
}

# The only road on which anything is changed: `change SENTENCE COMMAND [ARGUMENT…]` says it, counts it and does it.
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

# --- In folders that are not root's ----------------------------------------------------------------------------------

# `as_owner USER COMMAND…`: the only way in which anything is touched in a folder of somebody else: those below $STATE,
# PostgreSQL's and the cache's. Whoever owns a folder can put a link into it at any moment, and root would follow it
# anywhere; its owner gets no further than he would by himself.
as_owner() {
    (
        owner=$1
        shift
        setpriv --reuid="$owner" --regid="$(id -gn "$owner")" --init-groups --no-new-privs "$@"
    )
}

refuse_link() {
    [ ! -L "$1" ] || refuse "$1 is a link, which ibanse never makes: find out who did, remove it, and run this again."
}

# --- Running manage.py -----------------------------------------------------------------------------------------------

# `as_role app|erase|owner RELEASE COMMAND…` runs manage.py of that release with the settings, secrets and user of a role.
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

# Everything that belongs to a release, in an order and with dates of its own, so that equal trees are equal bytes.
packed() {
    tar -C "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=a+rX,u+w,go-w \
        --exclude=./.git --exclude=./.venv --exclude=./.data --exclude=./.cache --exclude='./.*_cache' \
        --exclude=./.hypothesis --exclude='__pycache__' --exclude=./dist --exclude=./installed -cf - .
}

version_of() { sed -n 's/^version = "\(.*\)"$/\1/p' "$1/pyproject.toml"; }

# A release is called by its version and a checksum of all it holds: what is the same is never made twice.
release_id() { echo "$(version_of "$1")-$(packed "$1" | sha256sum | cut -c1-12)"; }

current_id() {
    [ -L "$CURRENT" ] || return 0
    basename "$(readlink "$CURRENT")"
}

# `stage FOLDER`: copy a release to where only root can write, and verify the copy: nobody can change it afterwards.
# Everything is made from `staged`, which is removed at the end.
stage() {
    at "reading $1" "give a folder or an archive that holds ibanse, and look whether /tmp has room for it"
    staged=$(mktemp -d)
    packed "$1" | tar -C "$staged" --no-same-owner -xf -
    if [ -n "$unsigned" ]; then
        # What is generated is made again; results and signatures are for signed releases alone.
        (cd "$staged" && find . \( -name '*.mo' -o -path ./deploy/data.md -o -path ./evidence.json \
            -o -path ./sbom.cdx.json -o -path ./SHA256SUMS -o -path ./SHA256SUMS.sig \) ! -type d -delete)
    elif [ -n "$dry_run" ] && ! command -v ssh-keygen >/dev/null; then
        echo "Not verified now, since ssh-keygen is not installed yet."
    else
        at "verifying $1" "take the archive of a release, with the file of allowed signers of whoever made it; --unsigned accepts a folder as it is"
        "$(dirname "$(readlink -f "$0")")/verify" "$staged" "$signers"
    fi
}

make_release() {
    at "making the release $RELEASES/$2" \
        "look at the messages above: pip needs the package index, and $RELEASES room for 300 MB"
    rm -rf "${RELEASES:?}/$2"
    mkdir -p "$RELEASES/$2"
    packed "$1" | tar -C "$RELEASES/$2" --no-same-owner -xf -
    # With the same lock the packages are the same: bootstrap, which checks that, fetches only what differs.
    [ ! -d "$CURRENT/.venv" ] || cp -a --reflink=auto "$CURRENT/.venv" "$RELEASES/$2/.venv"
    (
        cd "$RELEASES/$2" || exit
        IBANSE_VENV=.venv PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore deploy/bootstrap run
        .venv/bin/python -m ibanse.catalogues
        # Nobody may write here later, not even the service, so that it finds everything compiled.
        .venv/bin/python -m compileall -q manage.py ibanse accounts apikeys privacy validation deploy
        chown -R root:root .
        chmod -R a+rX,go-w .
        touch installed
    )
}

migrate() {
    at "migrating the database" "look at the messages above; the release that serves goes on serving"
    as_role owner "$1" migrate --database default --no-input --skip-checks --verbosity 0
    psql_as_owner "$1" --file="$1/deploy/postgresql/rights.sql" \
        --command="COMMENT ON SCHEMA public IS 'rights $(rights_sum "$1")'"
    as_role owner "$1" sync_staff_groups --skip-checks --verbosity 0
}

migrate_keyring() {
    at "migrating the keyring" "look at the messages above, and whether the user ibanse may write to $STATE"
    as_role app "$1" migrate --database keyring --no-input --skip-checks --verbosity 0
}

rights_sum() { sha256sum <"$1/deploy/postgresql/rights.sql" | cut -c1-16; }

rights_are_given() {
    told=$(psql_as_owner "$1" --tuples-only --no-align --command="SELECT obj_description('public'::regnamespace)")
    [ "$told" = "rights $(rights_sum "$1")" ]
}

# `psql_as_owner RELEASE OPTION…`: wherever the settings say that the database is.
psql_as_owner() {
    release=$1
    shift
    as_role owner "$release" dbshell -- --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "$@"
}

# Is PostgreSQL on this machine, and so ours to set up?
database_is_here() { [ ! -f "$ETC/owner.env" ] || grep -q '^DATABASE_URL=.*@%2Frun%2Fpostgresql/' "$ETC/owner.env"; }

collect_static() {
    at "collecting the static files" "look whether the user ibanse may write to $STATE/static"
    # nginx, which hands them out, is one of the others.
    mask=022
    as_role app "$1" collectstatic --no-input --skip-checks --verbosity 0
    mask=007
}

point() {
    ln -sfn "$2" "$1.new"
    mv -T "$1.new" "$1"
}

# `switch_to ID`: from now on this release serves. A restart loses no request: the socket is systemd's, and callers wait.
switch_to() {
    served=$(current_id)
    collect_static "$RELEASES/$1"
    [ -z "$served" ] || [ "$served" = "$1" ] || point "$PREVIOUS" "$RELEASES/$served"
    point "$CURRENT" "$RELEASES/$1"
}

restart_and_ask() {
    at "starting ibanse" "read what it said: journalctl --unit ibanse --lines 50"
    # What ended at its start need not be asked: callers wait meanwhile.
    systemctl restart ibanse.service || return 1
    is_healthy
}

# Does it answer, with its database, keyring and counters in reach? Asked as nginx asks.
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

# The newest three stay, and whatever serves or served before.
remove_old_releases() {
    find "$RELEASES" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %f\n' | sort -rn | cut -d' ' -f2 |
        tail -n "+$((RELEASES_KEPT + 1))" | while read -r old; do
        [ "$old" = "$(current_id)" ] || [ "$old" = "$(basename "$(readlink "$PREVIOUS")")" ] || rm -rf "${RELEASES:?}/$old"
    done
}
