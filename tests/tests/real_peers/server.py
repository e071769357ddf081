"""A server on CPython's ssl that asks for the client's certificate when it hears /ask.

The request for the certificate goes out with the next write, and the answer is taken in
by the next read: so it is the request after /ask that can tell who the client is.
"""
import socket
import ssl
import sys
import threading

mode, chain, key, authorities, lists = sys.argv[1:6]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.minimum_version = ssl.TLSVersion.TLSv1_3
context.load_cert_chain(chain, key)
context.load_verify_locations(authorities)
context.load_verify_locations(lists)
context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
context.post_handshake_auth = True
context.verify_mode = ssl.CERT_REQUIRED if mode == "required" else ssl.CERT_OPTIONAL


def answer(tls, lines):
    while request := lines.readline():
        while lines.readline().strip():
            pass
        if request.split()[1] == b"/ask":
            tls.verify_client_post_handshake()
            verify = b"ASKED"
        else:
            verify = b"SUCCESS" if tls.getpeercert() else b"NONE"
        tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Verify: %s\r\n\r\n" % verify)


def serve(raw):
    with raw:
        try:
            with context.wrap_socket(raw, server_side=True) as tls:
                answer(tls, tls.makefile("rb"))
        except OSError as error:
            print(error, flush=True)


listener = socket.create_server(("127.0.0.1", 0))
print("port", listener.getsockname()[1], flush=True)
while True:
    accepted, _ = listener.accept()
    threading.Thread(target=serve, args=(accepted,), daemon=True).start()
