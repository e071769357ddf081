/*
 * Asking for a certificate on a connection that lasts, with OpenSSL: neither
 * SSL_verify_client_post_handshake(3) nor SSL_renegotiate(3) can be called from safe Rust.
 *
 * The first argument is "authenticate", which is done in TLS 1.3, or "renegotiate", in TLS 1.2 with a full
 * handshake. The second is a folder with root.pem, server.pem and client.pem; each of the latter two holds a
 * chain and the key of its leaf. Client and server talk in memory, on one thread. After their handshake
 * "ready" is printed. Each line of input then is a number of milliseconds, for which the server asks
 * the client for its certificate again and again; a line of output tells how many nanoseconds
 * of CPU time each round took. The program ends with its input.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

/* Reading the clock takes time too. */
#define ROUNDS_BETWEEN_READINGS 8

/* How the server asks for a certificate. */
struct way {
    const char *name;
    int version;
    /* Verify mode of the server, besides those that insist on a certificate. */
    int mode;
    void (*ask)(SSL *client, SSL *server);
};

/* How often the server has verified a chain. */
static long verifications = 0;

/* How often the client has. */
static long verifications_by_client = 0;

static void check(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "openssl_rounds: failed: %s\n", what);
        ERR_print_errors_fp(stderr);
        exit(1);
    }
}

static const char *path(const char *folder, const char *file)
{
    static char joined[4096];
    int length = snprintf(joined, sizeof(joined), "%s/%s", folder, file);

    check(length > 0 && (size_t)length < sizeof(joined), "the path is too long");
    return joined;
}

static int verify(X509_STORE_CTX *chain, void *counter)
{
    ++*(long *)counter;
    return X509_verify_cert(chain);
}

static SSL_CTX *new_context(const struct way *way, const char *folder, const char *identity)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());

    check(context != NULL, "SSL_CTX_new");
    check(SSL_CTX_set_min_proto_version(context, way->version), "version");
    check(SSL_CTX_set_max_proto_version(context, way->version), "version");
    check(SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256"), "suite");
    check(SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-GCM-SHA256"), "suite of TLS 1.2");
    check(SSL_CTX_set1_groups_list(context, "X25519:P-256"), "group");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context,
        SSL_OP_NO_TICKET | SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
    check(SSL_CTX_load_verify_locations(context, path(folder, "root.pem"), NULL), "root");
    check(SSL_CTX_use_certificate_chain_file(context, path(folder, identity)), "chain");
    check(SSL_CTX_use_PrivateKey_file(context, path(folder, identity), SSL_FILETYPE_PEM), "key");
    return context;
}

static SSL *new_client(const struct way *way, const char *folder)
{
    SSL_CTX *context = new_context(way, folder, "client.pem");
    SSL *client;

    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(context, verify, &verifications_by_client);
    SSL_CTX_set_post_handshake_auth(context, 1);
    client = SSL_new(context);
    check(client != NULL, "SSL_new");
    check(SSL_set1_host(client, "server.example"), "host");
    check(SSL_set_tlsext_host_name(client, "server.example"), "server name");
    SSL_set_connect_state(client);
    SSL_CTX_free(context);
    return client;
}

static SSL *new_server(const struct way *way, const char *folder)
{
    SSL_CTX *context = new_context(way, folder, "server.pem");
    SSL *server;

    SSL_CTX_set_verify(context,
        SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT | way->mode, NULL);
    SSL_CTX_set_cert_verify_callback(context, verify, &verifications);
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(path(folder, "root.pem")));
    check(SSL_CTX_set_num_tickets(context, 0), "tickets");
    server = SSL_new(context);
    check(server != NULL, "SSL_new");
    SSL_set_accept_state(server);
    SSL_CTX_free(context);
    return server;
}

static void join(SSL *client, SSL *server)
{
    BIO *to_server = BIO_new(BIO_s_mem());
    BIO *to_client = BIO_new(BIO_s_mem());

    check(to_server != NULL && to_client != NULL, "BIO_new");
    check(BIO_up_ref(to_server) && BIO_up_ref(to_client), "BIO_up_ref");
    SSL_set_bio(client, to_client, to_server);
    SSL_set_bio(server, to_server, to_client);
}

static int is_done(SSL *side)
{
    int result = SSL_do_handshake(side);

    check(result == 1 || SSL_get_error(side, result) == SSL_ERROR_WANT_READ, "handshake");
    return result == 1;
}

static void shake_hands(SSL *client, SSL *server)
{
    int client_done = 0, server_done = 0;

    while (!client_done || !server_done) {
        client_done = is_done(client);
        server_done = is_done(server);
    }
}

/* Takes in messages, and answers them, while looking for data that is not there. */
static void take_in_messages(SSL *side)
{
    char data;
    int result = SSL_read(side, &data, 1);

    check(result <= 0 && SSL_get_error(side, result) == SSL_ERROR_WANT_READ, "SSL_read");
}

static void authenticate_client(SSL *client, SSL *server)
{
    check(SSL_verify_client_post_handshake(server), "SSL_verify_client_post_handshake");
    check(SSL_do_handshake(server) == 1, "the request was not sent");
    take_in_messages(client);
    take_in_messages(server);
}

static void renegotiate(SSL *client, SSL *server)
{
    long verifications_before = verifications_by_client;

    check(SSL_renegotiate(server), "SSL_renegotiate");
    check(SSL_do_handshake(server) == 1, "the request was not sent");
    take_in_messages(client);
    while (SSL_renegotiate_pending(server)) {
        take_in_messages(server);
        take_in_messages(client);
    }
    check(!SSL_in_init(client), "the client is not done");
    check(verifications_by_client == verifications_before + 1, "the server has not authenticated");
}

static const struct way ways[] = {
    { "authenticate", TLS1_3_VERSION, SSL_VERIFY_POST_HANDSHAKE, authenticate_client },
    { "renegotiate", TLS1_2_VERSION, 0, renegotiate },
};

static const struct way *way_named(const char *name)
{
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (strcmp(ways[i].name, name) == 0)
            return &ways[i];
    check(0, "there is no such way to ask");
    return NULL;
}

static void ask_once(const struct way *way, SSL *client, SSL *server)
{
    long verifications_before = verifications;

    way->ask(client, server);
    check(verifications == verifications_before + 1, "the client has not authenticated");
    check(SSL_get0_peer_certificate(server) != NULL, "the client has no certificate");
    check(SSL_get_verify_result(server) == X509_V_OK, "the client is not verified");
}

static double nanoseconds(void)
{
    struct timespec now;

    check(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0, "clock_gettime");
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double measure(const struct way *way, SSL *client, SSL *server, long milliseconds)
{
    double start = nanoseconds(), elapsed = 0;
    long rounds = 0;

    do {
        for (int i = 0; i < ROUNDS_BETWEEN_READINGS; i++)
            ask_once(way, client, server);
        rounds += ROUNDS_BETWEEN_READINGS;
        elapsed = nanoseconds() - start;
    } while (elapsed < (double)milliseconds * 1e6);
    return elapsed / (double)rounds;
}

int main(int argc, char **argv)
{
    const struct way *way;
    SSL *client, *server;
    long milliseconds;

    check(argc == 3, "the arguments are a way to ask, and a folder");
    way = way_named(argv[1]);
    client = new_client(way, argv[2]);
    server = new_server(way, argv[2]);
    join(client, server);
    shake_hands(client, server);
    printf("ready\n");
    fflush(stdout);
    while (scanf("%ld", &milliseconds) == 1) {
        printf("%f\n", measure(way, client, server, milliseconds));
        fflush(stdout);
    }
    SSL_free(client);
    SSL_free(server);
    return 0;
}
