#!/bin/bash
# smtp.sh [PEER...] - mail in: messages/s from the first SMTP connection until every message is in its mailbox
# (every client saw 250 AND the sum of POP3 STAT over the recipients shows all of them).
# Environment: ROUNDS, CASES ("size:sessions:messages ..."), REUSE=1 (many messages per connection, smtp-source -d).
. "$(dirname "$0")/lib.sh"
. "$LIBDIR/peers.sh"
PEERS=("$@")
[ $# -gt 0 ] || PEERS=(postfix-maildir postfix-sdbox postfix-mdbox stead)
CASES=${CASES:-4096:1:200 4096:10:2000 4096:50:2000 65536:1:150 65536:10:800 65536:50:800}
NC=$(wc -w <<<"$CASES")
NUSERS=$((NC * ROUNDS * 10 + 1)) # the last one is for swaks

smtp_run() { # PEER ROUND FIRSTUSER SIZE SESSIONS MESSAGES
	peer_env "$1"
	local users=10 k t0 t1 t2 b0 b1 pids=() case="$(($4 / 1024)) KiB, $5 sessions"
	[ "$5" -lt 10 ] && users=$5
	lock
	b0=$(peer_cpu_us "$1") t0=$(now)
	for ((k = 0; k < users; k++)); do
		timeout 40 smtp-source ${REUSE:+-d} -s $(($5 / users)) -m $(($6 / users)) -l "$4" -f sender@example.test \
			-t "u$(($3 + k))@bench.test" "127.0.0.1:$SMTP" 2>>"$DIR/source.err" 9>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	t1=$(now)
	mail_wait "$3" "$users" $(($6 + users)) 30 || return
	t2=$(now) b1=$(peer_cpu_us "$1")
	rec "smtp receive" "$case" "$1" "$2" "in mailbox, msg/s" "$(calc "$6 / ($t2 - $t0)")"
	rec "smtp receive" "$case" "$1" "$2" "accepted (250), msg/s" "$(calc "$6 / ($t1 - $t0)")"
	rec "smtp receive" "$case" "$1" "$2" "server CPU, us per msg" "$(calc "($b1 - $b0) / $6")"
}

for p in "${PEERS[@]}"; do
	peer_start "$p" || exit 1
	lock
	mail_seed 1 "$NUSERS" 1 512 || exit 1 # the mailboxes exist (first delivery to a new one is another matter)
	timeout 20 swaks --silent 2 --server 127.0.0.1 --port "$SMTP" --from sender@example.test --to "u$NUSERS@bench.test" || exit 1 # sanity
done
for ((r = 1; r <= ROUNDS; r++)); do
	lock
	"$BIN/fsyncfloor" "$WORK" 1 >"$WORK/floor"
	rec "fsync floor" "4 KiB" disk "$r" "append + fdatasync /s" "$(val append_fdatasync_per_s "$WORK/floor")"
	rec "fsync floor" "4 KiB" disk "$r" "create + fsync + rename + fsync dir /s" "$(val create_fsync_rename_per_s "$WORK/floor")"
	i=0
	for c in $CASES; do
		IFS=: read -r size sess msgs <<<"$c"
		for p in "${PEERS[@]}"; do smtp_run "$p" "$r" $((1 + (i * ROUNDS + r - 1) * 10)) "$size" "$sess" "$msgs"; done
		i=$((i + 1))
	done
done
unlock
report
