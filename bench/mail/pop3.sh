#!/bin/bash
# pop3.sh [PEER...] - POP3 sessions/s: connect, USER, PASS, STAT, UIDL, RETR x 10, QUIT, on 100- and 1000-message mailboxes of
# 4 KiB messages, which came in by SMTP. Environment: ROUNDS, SECS per run.
. "$(dirname "$0")/lib.sh"
. "$LIBDIR/peers.sh"
PEERS=("$@")
[ $# -gt 0 ] || PEERS=(postfix-maildir postfix-sdbox postfix-mdbox stead)
SECS=${SECS:-3}
NUSERS=20

for p in "${PEERS[@]}"; do
	peer_start "$p" || exit 1
	lock
	mail_seed 1 20 1 4096 && mail_seed 1 10 99 4096 1 && mail_seed 11 10 999 4096 1 || exit 1
	for b in 1 11; do timeout 60 "$BIN/pop3load" -p "$POP3" -b $b -U 10 -c 10 -d 1 >/dev/null; done # fill the server's own caches
done
one() { # PEER ROUND CASE args
	peer_env "$1"
	local p=$1 r=$2 c=$3 b0 b1 o=$DIR/pop.out
	shift 3
	lock
	b0=$(peer_cpu_us "$p")
	timeout 60 "$BIN/pop3load" -p "$POP3" -d "$SECS" "$@" >"$o" || return
	b1=$(peer_cpu_us "$p")
	rec pop3 "$c" "$p" "$r" "sessions/s" "$(val sessions_per_s "$o")"
	rec pop3 "$c" "$p" "$r" "session p50 ms" "$(awk '/^lat_/ { split($3, a, "="); print a[2] }' "$o")"
	rec pop3 "$c" "$p" "$r" "session p99 ms" "$(awk '/^lat_/ { split($5, a, "="); print a[2] }' "$o")"
	rec pop3 "$c" "$p" "$r" "server CPU, us per session" "$(calc "($b1 - $b0) / $(val ops "$o")")"
	[ "$(val in_use "$o")" = 0 ] || say "$p: $c: $(val in_use "$o") log-ins found the maildrop still locked, and came again"
}
for ((r = 1; r <= ROUNDS; r++)); do
	for p in "${PEERS[@]}"; do one "$p" "$r" "100 messages, 1 connection" -b 1 -U 10 -c 1; done
	for p in "${PEERS[@]}"; do one "$p" "$r" "100 messages, 10 connections" -b 1 -U 10 -c 10; done
	for p in "${PEERS[@]}"; do one "$p" "$r" "1000 messages, 10 connections" -b 11 -U 10 -c 10; done
done
unlock
report
