# packages.sh - part of ./dev: the Debian packages that its commands need, and how they come here.
# Uses say, die, report, began and log of ./dev; `debian` tells it where it is.

build_set='gcc libc6-dev meson ninja-build pkg-config python3 libuv1-dev libssl-dev liblmdb-dev
    libcrypt-dev libcmocka-dev'
check_set='clang clang-format libclang-rt-14-dev mandoc'
test_set='curl bind9-dnsutils knot-dnsutils swaks libnet-ssleay-perl openssl iproute2 procps
    lftp isync mutt nftables tnftp'
long_set='valgrind'

debian=$(. /etc/os-release 2>/dev/null && echo "${ID:-} ${VERSION_ID:-}")

# Where this is not Debian 12, nothing is installed: it is only looked whether the build can work.
need_elsewhere()
{
	missing=
	for t in gcc meson ninja python3 pkg-config; do
		command -v "$t" >/dev/null || missing="$missing $t"
	done
	for l in libuv libssl libcrypto lmdb libcrypt cmocka; do
		pkg-config --exists "$l" 2>/dev/null || missing="$missing $l"
	done
	[ -n "$missing" ] || return 0
	die "missing:$missing. On Debian 12 this installs what it needs by itself; here, please install
what these Debian packages hold, and try again:" $*
}

# Install the named packages, those that are missing; without a missing one nothing happens.
need()
{
	if [ "$debian" != 'debian 12' ]; then need_elsewhere "$@"; return; fi
	have=" $(dpkg-query -W -f '${Package}:${db:Status-Status} ' "$@" 2>/dev/null)"
	missing= root=
	for p; do
		case $have in *" $p:installed "*) ;; *) missing="$missing $p" ;; esac
	done
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || die "as root, first: apt-get install$missing"
		root=sudo
	fi
	say "installing$missing"
	began=$(date +%s)
	install_missing || { $root apt-get -q update >"$log" 2>&1 && install_missing; } ||
	    { cat "$log"; die "these packages cannot be installed:$missing"; }
	report 'packages' ok
}

install_missing()
{
	$root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
	    --no-install-recommends install $missing >"$log" 2>&1
}
