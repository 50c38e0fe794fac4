#!/bin/bash
# setup.sh [tools] - once, as root on Debian 12: get the peers, and build the load generators into .build/.
# OpenSMTPD's packages conflict with Postfix's: it is only unpacked. Where the machine has an init system, the
# packages of the others may start their servers: this refuses there unless they are there already.
set -euo pipefail
cd "$(dirname "$0")"
export DEBIAN_FRONTEND=noninteractive
mkdir -p .build/deb .build/peer
build() { gcc -O2 -Wall -Wextra -o ".build/$1" "$1.c" "${@:2}"; }
build imapload -lssl -lcrypto
build pop3load
build fsyncfloor
[ "${1:-}" = tools ] && exit
if ! command -v postfix >/dev/null || [ ! -x /usr/sbin/dovecot ]; then
	[ ! -d /run/systemd/system ] || { echo "setup.sh: install and disable postfix and dovecot by hand first" >&2; exit 1; }
	apt-get -y -q -o DPkg::Lock::Timeout=300 --no-install-recommends install \
		postfix dovecot-imapd dovecot-pop3d dovecot-lmtpd swaks procps libdb5.3 libevent-2.1-7
fi
# of the footprint's peers; only unpacked
apt-get -y -q -o DPkg::Lock::Timeout=300 --no-install-recommends install libfstrm0 libprotobuf-c1 libpython3.11 libnghttp2-14
for p in nsd unbound; do
	[ -d ".build/peer/$p" ] || { (cd .build/deb && apt-get -q download "$p") && dpkg -x .build/deb/"${p}"_*.deb ".build/peer/$p"; }
done
[ "${1:-}" = opensmtpd ] || { echo "setup done; 'setup.sh opensmtpd' adds that peer"; exit; }
(cd .build/deb && apt-get -q download opensmtpd)
dpkg -x .build/deb/opensmtpd_*.deb .build/peer/opensmtpd
for u in opensmtpd opensmtpq; do
	getent passwd $u >/dev/null || useradd --system --no-create-home --home-dir /var/lib/opensmtpd/empty --shell /usr/sbin/nologin $u
done
# It has its own paths compiled in: the daemon and its delivery helpers must be there.
install -m 0755 .build/peer/opensmtpd/usr/sbin/smtpd /usr/sbin/smtpd
install -m 2755 -g opensmtpq .build/peer/opensmtpd/usr/sbin/smtpctl /usr/sbin/smtpctl
mkdir -p /usr/libexec/opensmtpd /var/lib/opensmtpd/empty
cp .build/peer/opensmtpd/usr/libexec/opensmtpd/* /usr/libexec/opensmtpd/
echo setup done
