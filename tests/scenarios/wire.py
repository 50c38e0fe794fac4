"""wire.py - what passes on the wire of internet.py, taken apart: every DNS message, and every line of the
protocols that are text; it is looked at by the tests and kept as a transcript for people."""
import re
import select
import socket
import struct
import threading
import time

import stead

TEXT_PORTS = {21: "FTP", 25: "SMTP", 110: "POP3", 143: "IMAP", 587: "SMTP"}
OUTGOING = 4                                    # PACKET_OUTGOING of packet(7)
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}


class Seen:
    """One thing that was seen: a line, or a DNS message."""

    def __init__(self, kind, source, sport, target, tport, text, size, dns=None):
        self.kind, self.source, self.sport, self.target, self.tport = kind, source, sport, target, tport
        self.text, self.size, self.dns, self.when = text, size, dns, time.monotonic()

    def __repr__(self):
        return f"{self.source:>12} > {self.target:<12} {self.kind:5} {self.text}"


def dns_text(m):
    q = f"{m.questions[0][0]} {stead.TYPE_NAMES.get(m.questions[0][1], m.questions[0][1])}" \
        if m.questions else "(no question)"
    if not m.qr:
        return f"? {q}"
    what = ", ".join(f"{r.name} {r.ttl} {r.kind} {r.data}" for r in m.answer) or \
        ", ".join(f"see {r.name} {r.kind} {r.data}" for r in m.authority if r.kind == "NS") or "nothing"
    return f"! {q}: {RCODES.get(m.rcode, m.rcode)}{' aa' if m.aa else ''}{' tc' if m.tc else ''}: {what}"


class Wire:
    """Listens on all links of the wire's host, in a thread."""

    def __init__(self, host):
        self.seen, self.streams, self.news = [], {}, threading.Condition()
        self.bytes_to, self.open = {}, True
        with host.inside():
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)   # SO_RCVBUFFORCE
        self.ear = threading.Thread(target=self.listen, daemon=True)
        self.ear.start()

    def close(self):
        self.open = False
        self.ear.join()
        self.sock.close()

    def listen(self):
        while self.open:
            if not select.select([self.sock], [], [], 0.1)[0]:
                continue
            frame, (link, kind, how, *_) = self.sock.recvfrom(1 << 17)
            if link.startswith("h-") and how != OUTGOING and kind == 0x0800:
                self.packet(frame[14:])

    def packet(self, ip):
        head = (ip[0] & 15) * 4
        total = struct.unpack_from(">H", ip, 2)[0] or len(ip)
        source, target = socket.inet_ntoa(ip[12:16]), socket.inet_ntoa(ip[16:20])
        body = ip[head:total]
        self.bytes_to[target] = self.bytes_to.get(target, 0) + total
        if ip[9] == 17 and len(body) >= 8:
            sport, tport = struct.unpack_from(">HH", body)
            if 53 in (sport, tport):
                self.dns(source, sport, target, tport, body[8:])
        elif ip[9] == 6 and len(body) >= 20:
            sport, tport, seq = struct.unpack_from(">HHI", body)
            self.tcp((source, sport, target, tport), seq, body[13], body[(body[12] >> 4) * 4:])

    def dns(self, source, sport, target, tport, data):
        try:
            m = stead.Message(data)
            text = dns_text(m)
        except Exception:                       # whatever a forger puts on the wire
            m, text = None, f"({len(data)} octets that are no message)"
        self.add(Seen("DNS", source, sport, target, tport, text, len(data), m))

    def tcp(self, key, seq, flags, data):
        source, sport, target, tport = key
        port = next((p for p in (sport, tport) if p in TEXT_PORTS), None)
        if not port:
            if flags & 2 and not flags & 16:    # SYN: a connection begins
                self.add(Seen("TCP", *key, f"connects from port {sport} to port {tport}", 0))
            elif flags & 4:
                self.add(Seen("TCP", *key, f"port {sport} to port {tport}: refused or reset", 0))
            return
        stream = self.streams.setdefault(key, {"next": None, "half": b"", "tls": False})
        if flags & 2:
            self.streams[key] = {"next": (seq + 1) & 0xffffffff, "half": b"", "tls": False}
            return
        if not data or stream["next"] is None or seq != stream["next"]:
            return
        stream["next"] = (seq + len(data)) & 0xffffffff
        if not stream["tls"] and not stream["half"] and data[:2] == b"\x16\x03":
            stream["tls"] = True
        if stream["tls"]:
            self.add(Seen(TEXT_PORTS[port], *key, f"({len(data)} octets in TLS)", len(data)))
            return
        *lines, stream["half"] = (stream["half"] + data).split(b"\r\n")
        for line in lines:
            self.add(Seen(TEXT_PORTS[port], *key, line.decode("utf-8", "backslashreplace"), len(line)))

    def add(self, seen):
        with self.news:
            self.seen.append(seen)
            self.news.notify_all()

    # -- for tests --

    def mark(self):
        return len(self.seen)

    def since(self, mark, pattern="", **where):
        """What was seen from the mark on, whose text the pattern is found in, and whose fields are so."""
        return [s for s in self.seen[mark:] if re.search(pattern, s.text) and
                all(getattr(s, k) == v for k, v in where.items())]

    def wait(self, mark, pattern="", deadline=stead.DEADLINE, **where):
        return stead.until(f"{pattern!r} {where} on the wire",
                           lambda: self.since(mark, pattern, **where), deadline)

    def transcript(self, mark, longest=110, often=5):
        """For people: octets in TLS and long runs of lines are told in short, and a flood once."""
        out, run, times = [], None, {}
        began = self.seen[mark].when if len(self.seen) > mark else 0
        for s in self.seen[mark:]:
            if "settled-" in s.text:
                continue
            key = (s.source, s.target, s.kind) if "octets in TLS" in s.text or s.size > 70 else None
            if key and key == run and s.kind != "DNS":
                out[-1][1] += 1
                continue
            run, flood = key, (s.source, s.target, s.kind, s.text.partition(":")[0])
            times[flood] = times.get(flood, 0) + 1
            if s.kind == "DNS" and times[flood] > often:
                continue
            text = repr(s)
            out.append([f"{1000 * (s.when - began):9.1f} ms {text[:longest]}"
                        f"{'...' if len(text) > longest else ''}", 1])
        rest = "".join(f"{n - often:>12} more of {source} > {target} {kind} {text}\n"
                       for (source, target, kind, text), n in times.items()
                       if kind == "DNS" and n > often)
        return "".join(f"{line}{f'   (and {n - 1} like it)' if n > 1 else ''}\n"
                       for line, n in out) + rest
