#!/bin/bash
# bulk.sh [PEER...] - throughput of one large file, page cache warm: RETR and STOR, 1 and 4 at once, plain and TLS, beside the
# limit of the machine (loopback.c). curl is the ordinary client; "ftpload" is one that costs next to nothing (RETR discarded in
# the kernel, STOR from memory), so that the server shows. Uploads go to a tmpfs. Environment: ROUNDS, MIB (size of the file).
. "$(dirname "$0")/lib.sh"
PEERS=("$@")
[ $# -gt 0 ] || PEERS=(vsftpd pure-ftpd proftpd)
MIB=${MIB:-2048}
TLSMIB=$((MIB / 2))
put() { rec "ftp bulk" "$1" "$2" "$3" "MiB/s" "$4"; }
urls() { local i; for ((i = 0; i < $1; i++)); do echo "$2$i"; done; }

curl_run() { # PEER ROUND CASE N MIB get|put [curl options]
	local p=$1 r=$2 c=$3 n=$4 mib=$5 dir=$6 i t0 t1 pids=() b0 b1
	shift 6
	peer_env "$p"
	lock
	b0=$(peer_cpu_us "$p") t0=$(now)
	for ((i = 0; i < n; i++)); do
		if [ "$dir" = get ]; then
			curl -m 60 -sS -k "$@" -u "$USERNAME:pw" -r "0-$(((mib << 20) - 1))" -o /dev/null "ftp://127.0.0.1:$FTP/big" 2>>"$DIR/curl.err" 9>&- &
		else
			curl -m 60 -sS -k "$@" -u "$USERNAME:pw" -T "$ROOT/big.$mib" "ftp://127.0.0.1:$FTP/up/put$i" 2>>"$DIR/curl.err" 9>&- &
		fi
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i" || { say "$p: $c: curl failed: $(tail -1 "$DIR/curl.err")"; rm -f "$ROOT"/up/* "$WORK"/stead/d/files/1/up/*; return; }; done
	t1=$(now) b1=$(peer_cpu_us "$p")
	rm -f "$ROOT"/up/* "$WORK"/stead/d/files/1/up/*
	put "$c" "$p" "$r" "$(calc "$n * $mib / ($t1 - $t0)")"
	rec "ftp bulk" "$c" "$p" "$r" "server CPU, ms per GiB" "$(calc "($b1 - $b0) / 1000 / ($n * $mib / 1024)")"
}
load_run() { # PEER ROUND CASE N get|put
	peer_env "$1"
	lock
	local b0 b1
	b0=$(peer_cpu_us "$1")
	if [ "$5" = get ]; then timeout 60 "$FBIN/ftpload" -p "$FTP" -M get -D big -c "$4" >"$DIR/o"; else timeout 60 "$FBIN/ftpload" -p "$FTP" -M put -D up -c "$4" -z $((MIB << 20)) >"$DIR/o"; fi || return
	b1=$(peer_cpu_us "$1")
	rm -f "$ROOT"/up/* "$WORK"/stead/d/files/1/up/*
	put "$3" "$1" "$2" "$(val mib_per_s "$DIR/o")"
	rec "ftp bulk" "$3" "$1" "$2" "server CPU, ms per GiB" "$(calc "($b1 - $b0) / 1000 / ($4 * $MIB / 1024)")"
}
limit() { # ROUND CASE N MODE [FILE]
	lock
	put "$2" limit "$1" "$(CERT=$WORK/cert.pem KEY=$WORK/key.pem STORE=$ROOT/up timeout 60 "$FBIN/loopback" "${5:-$ROOT/big}" "$3" "$4" | awk '{ print $2 }')"
}

make_root "$MIB"
head -c "${TLSMIB}M" "$ROOT/big" >"$ROOT/big.$TLSMIB"
ln "$ROOT/big" "$ROOT/big.$MIB"
sync "$ROOT/big.$TLSMIB"
for p in "${PEERS[@]}"; do peer_start "$p" || exit 1; done
cat "$ROOT/big" "$ROOT/big.$TLSMIB" >/dev/null
for ((r = 1; r <= ROUNDS; r++)); do
	limit "$r" "RETR x1, curl" 1 sendfile
	for p in "${PEERS[@]}"; do curl_run "$p" "$r" "RETR x1, curl" 1 "$MIB" get; done
	limit "$r" "RETR x1, ftpload" 1 discard
	for p in "${PEERS[@]}"; do load_run "$p" "$r" "RETR x1, ftpload" 1 get; done
	limit "$r" "RETR x4, curl" 4 sendfile "$ROOT/big.$TLSMIB"
	for p in "${PEERS[@]}"; do curl_run "$p" "$r" "RETR x4, curl" 4 "$TLSMIB" get; done
	limit "$r" "STOR x1, curl" 1 store
	for p in "${PEERS[@]}"; do curl_run "$p" "$r" "STOR x1, curl" 1 "$MIB" put; done
	limit "$r" "STOR x1, ftpload" 1 store
	for p in "${PEERS[@]}"; do load_run "$p" "$r" "STOR x1, ftpload" 1 put; done
	limit "$r" "STOR x4, curl" 4 store "$ROOT/big.$TLSMIB"
	for p in "${PEERS[@]}"; do curl_run "$p" "$r" "STOR x4, curl" 4 "$TLSMIB" put; done
	limit "$r" "TLS 1.3 RETR x1, curl" 1 tls "$ROOT/big.$TLSMIB"
	for p in "${PEERS[@]}"; do curl_run "$p" "$r" "TLS 1.3 RETR x1, curl" 1 "$TLSMIB" get --ssl-reqd --tlsv1.3; done
	limit "$r" "TLS 1.3 STOR x1, curl" 1 tls "$ROOT/big.$TLSMIB"
	for p in "${PEERS[@]}"; do curl_run "$p" "$r" "TLS 1.3 STOR x1, curl" 1 "$TLSMIB" put --ssl-reqd --tlsv1.3; done
done
lock
openssl speed -seconds 1 -bytes 16384 -evp aes-256-gcm 2>/dev/null | awk '/AES-256-GCM/ { sub("k", "", $2); print $2 / 1048.576 }' | while read -r v; do
	put "openssl speed aes-256-gcm, 16 KiB, one core" limit 1 "$v"
done
unlock
report
