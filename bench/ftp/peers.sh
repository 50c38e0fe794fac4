# peers.sh - launchers. A peer NAME is two functions, start_NAME and stop_NAME ('-' in the name becomes '_').
# start_NAME finds in the environment:
#   DIR            its private directory (leave the pid of the top process in $DIR/NAME.pid)
#   FTP            the port on 127.0.0.1       PASVLO PASVHI   the range of passive ports
#   ROOT           the directory to serve as /, readable and writable, to the user USERNAME (password "pw")
#   UNIXUSER       the unprivileged system user to do it as
#   $WORK/cert.pem, $WORK/key.pem, $WORK/both.pem   for explicit TLS (AUTH TLS), offered but not demanded
# and returns once the port answers (it runs in a subshell: pass nothing back in variables). Password checks are made cheap for all (permit-all or old DES crypt): the benchmarks measure servers.

crypted() { perl -e 'print crypt("pw", "ab")'; }

# vsftpd: as it ships (seccomp, process per session with privilege separation); virtual user by PAM, sendfile is its default
vsftpd_run() { # DIR [EXTRA LINES]
	local pam=bench-vsftpd-$$-$FTP
	printf 'auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n' >"/etc/pam.d/$pam"
	echo "$pam" >"$1/pam"
	mkdir -p "$1/empty"
	cat >"$1/vsftpd.conf" <<-C
	listen=YES
	background=NO
	listen_address=127.0.0.1
	listen_port=$FTP
	anonymous_enable=NO
	local_enable=YES
	guest_enable=YES
	guest_username=$UNIXUSER
	virtual_use_local_privs=YES
	local_root=$ROOT
	chroot_local_user=YES
	allow_writeable_chroot=YES
	write_enable=YES
	local_umask=022
	pam_service_name=$pam
	secure_chroot_dir=$1/empty
	pasv_min_port=$PASVLO
	pasv_max_port=$PASVHI
	max_clients=0
	max_per_ip=0
	xferlog_enable=YES
	vsftpd_log_file=$1/log
	ssl_enable=YES
	force_local_logins_ssl=NO
	force_local_data_ssl=NO
	ssl_tlsv1=YES
	ssl_ciphers=HIGH
	require_ssl_reuse=NO
	rsa_cert_file=$WORK/cert.pem
	rsa_private_key_file=$WORK/key.pem
	${2:-}
	C
	"$PEERDIR/vsftpd/usr/sbin/vsftpd" "$1/vsftpd.conf" >"$1/out" 2>&1 &
	echo $! >"$1/vsftpd.pid"
	wait_port "$FTP"
}
vsftpd_end() { kill_wait "$(cat "$1/vsftpd.pid" 2>/dev/null)"; rm -f "/etc/pam.d/$(cat "$1/pam")" "$1/vsftpd.pid"; }
start_vsftpd() { vsftpd_run "$DIR"; }
stop_vsftpd() { vsftpd_end "$DIR"; }
# the same without a network namespace per session, which is what its logins cost most
start_vsftpd_nons() { vsftpd_run "$DIR" "isolate_network=NO"; }
stop_vsftpd_nons() { vsftpd_end "$DIR"; }

# pure-ftpd: virtual users from a puredb, no reverse DNS, listing limit raised, transfer log
start_pure_ftpd() {
	echo "$USERNAME:$(crypted):$(id -u $UNIXUSER):$(id -g $UNIXUSER)::$ROOT/./::::::::::::" >"$DIR/passwd"
	"$PEERDIR/pure-ftpd/usr/bin/pure-pw" mkdb "$DIR/users.pdb" -f "$DIR/passwd" || return
	"$PEERDIR/pure-ftpd/usr/sbin/pure-ftpd" -S "127.0.0.1,$FTP" -l "puredb:$DIR/users.pdb" -p "$PASVLO:$PASVHI" -A -E -H -u 1 \
		-c 2000 -C 2000 -L 50000:8 -Y 1 -2 "$WORK/both.pem" -O "clf:$DIR/xferlog" -g "$DIR/own.pid_" >"$DIR/out" 2>&1 &
	echo $! >"$DIR/pure-ftpd.pid"
	wait_port "$FTP"
}
stop_pure_ftpd() { kill_wait "$(cat "$DIR/pure-ftpd.pid" 2>/dev/null)"; rm -f "$DIR/pure-ftpd.pid"; }

# proftpd: virtual users from a file, sendfile on, no DNS or ident, no login delay, transfer log
proftpd_run() { # TLSEngine on|off
	echo "$USERNAME:$(crypted):$(id -u $UNIXUSER):$(id -g $UNIXUSER)::$ROOT:/bin/sh" >"$DIR/passwd"
	chmod 600 "$DIR/passwd"
	cat >"$DIR/proftpd.conf" <<-C
	ModulePath $PEERDIR/proftpd-core/usr/lib/proftpd
	LoadModule mod_tls.c
	ServerType standalone
	DefaultServer on
	DefaultAddress 127.0.0.1
	SocketBindTight on
	UseIPv6 off
	Port $FTP
	PassivePorts $PASVLO $PASVHI
	User $UNIXUSER
	Group $UNIXUSER
	PidFile $DIR/own.pid_
	ScoreboardFile $DIR/scoreboard
	DelayEngine off
	UseReverseDNS off
	WtmpLog off
	MaxInstances none
	UseSendfile on
	AuthOrder mod_auth_file.c
	AuthUserFile $DIR/passwd
	RequireValidShell off
	DefaultRoot ~
	AllowOverwrite on
	TransferLog $DIR/xferlog
	SystemLog $DIR/log
	TLSEngine $1
	TLSProtocol TLSv1.2 TLSv1.3
	TLSRSACertificateFile $WORK/cert.pem
	TLSRSACertificateKeyFile $WORK/key.pem
	TLSOptions NoSessionReuseRequired
	TLSRequired off
	TLSLog none
	C
	"$PEERDIR/proftpd-core/usr/sbin/proftpd" -n -q -c "$DIR/proftpd.conf" >"$DIR/out" 2>&1 &
	echo $! >"$DIR/proftpd.pid"
	wait_port "$FTP"
}
proftpd_end() { kill_wait "$(cat "$DIR/proftpd.pid" 2>/dev/null)"; rm -f "$DIR/proftpd.pid"; }
start_proftpd() { proftpd_run on; }
stop_proftpd() { proftpd_end; }
# without TLS, whose set-up is most of what its logins cost
start_proftpd_notls() { proftpd_run off; }
stop_proftpd_notls() { proftpd_end; }

# ---------- stead: fill in once it exists; see the list of variables at the top ----------
# start_stead() {
#	write "$DIR/stead.conf" for FTP, PASVLO, PASVHI, ROOT, USERNAME
#	"${STEAD:?path of the program}" ... >"$DIR/out" 2>&1 &
#	echo $! >"$DIR/stead.pid"
#	wait_port "$FTP"
# }
# stop_stead() { kill_wait "$(cat "$DIR/stead.pid")"; }

# ---------- stead ($STEAD: path of the program) ----------
# It serves its own file areas: what ROOT holds is copied into the account's, on a tmpfs, so that files come from memory as
# the others' do from the page cache, and uploads go to memory for all.
start_stead() {
	local area
	"${STEAD:?path of the program}" init "$DIR/d" --domain bench.test >/dev/null || return
	cat >"$DIR/d/stead.conf" <<-C
	domain bench.test;
	dns { listen []; }
	resolver { listen []; }
	smtp { listen []; }
	submission { listen []; tls_listen []; }
	imap { listen []; tls_listen []; }
	pop3 { listen []; tls_listen []; }
	ftp { listen [127.0.0.1:$FTP]; passive_port $PASVLO; }
	auth { hash_cost 1; }
	C
	cp "$WORK/cert.pem" "$DIR/d/tls/cert.pem" && cp "$WORK/key.pem" "$DIR/d/keys/tls.pem" && chmod 600 "$DIR/d/keys/tls.pem" || return
	echo "$USERNAME@bench.test:pw" | "$STEAD" -C "$DIR/d" user import /dev/stdin >/dev/null || return
	mkdir -p "$DIR/d/files"
	mount -t tmpfs -o mode=700,size=12g none "$DIR/d/files" || return
	area=$DIR/d/files/1
	mkdir -p "$area/up"
	for f in big small list; do [ ! -e "$ROOT/$f" ] || cp -r "$ROOT/$f" "$area/"; done
	chown -R --reference="$DIR/d/store" "$DIR/d/files"
	"$STEAD" -C "$DIR/d" serve >"$DIR/log" 2>&1 &
	echo $! >"$DIR/stead.pid"
	wait_port "$FTP"
}
stop_stead() {
	kill_wait "$(cat "$DIR/stead.pid" 2>/dev/null)"
	rm -f "$DIR/stead.pid"
	umount "$DIR/d/files" 2>/dev/null
}
