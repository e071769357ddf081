"""A client on Python's ssl that asks for one page and prints what it gets."""
import socket
import ssl
import sys

ability, port, path, authority, chain, key, version = sys.argv[1:8]
context = ssl.create_default_context(cafile=authority)
only = ssl.TLSVersion.TLSv1_2 if version == "TLSv1.2" else ssl.TLSVersion.TLSv1_3
context.minimum_version = context.maximum_version = only
if chain:
    context.load_cert_chain(chain, key)
if ability == "able":
    context.post_handshake_auth = True
try:
    with socket.create_connection(("127.0.0.1", int(port))) as raw:
        with context.wrap_socket(raw, server_hostname="localhost") as tls:
            request = "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path
            tls.sendall(request.encode())
            while received := tls.recv(10000):
                print(received.decode())
except OSError as error:
    print(error)
