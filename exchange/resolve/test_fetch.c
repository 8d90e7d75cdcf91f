/* Fetching from a server of the test's own, with a CA of the test's own: what may come is taken,
 * everything else is refused by its kind. The server is OpenSSL's TLS over a loopback socket, one
 * connection after the other, each answered with the bytes that the case says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "exchange/resolve/resolve.h"

/* ---- certificates ---- */

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension;
    X509V3_CTX ctx;

    X509V3_set_ctx_nodb(&ctx);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* A certificate for `key` by the issuer; its own if issuer is NULL. name: of host, or of a CA. */
static X509 *make_cert(EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, const char *host)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    static int made; /* each has a name of its own */
    char san[64], common[32];

    assert_int_equal(X509_set_version(cert, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), issuer == NULL ? 1 : 2), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), -86400));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 86400));
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    (void)snprintf(common, sizeof common, "%s %d", host != NULL ? "server" : "CA", ++made);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)common, -1, -1, 0),
                     1);
    assert_int_equal(
        X509_set_issuer_name(cert, issuer == NULL ? name : X509_get_subject_name(issuer)), 1);
    if (host != NULL) {
        (void)snprintf(san, sizeof san, "DNS:%s", host);
        add_extension(cert, NID_subject_alt_name, san);
    } else {
        add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
    }
    assert_true(X509_sign(cert, issuer_key != NULL ? issuer_key : key, EVP_sha256()) > 0);
    return cert;
}

static char *write_pem(const char *folder, const char *name, X509 *cert)
{
    char *path = malloc(256);
    FILE *f;

    (void)snprintf(path, 256, "%s/%s", folder, name);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, cert), 1);
    assert_int_equal(fclose(f), 0);
    return path;
}

/* ---- the server ---- */

#define DID "did:web:localhost"
#define DOCUMENT "{\"id\":\"did:web:localhost%%3A%u\",\"service\":[{\"id\":\"#x\",\"type\":\"T\"}]}"

static struct server {
    char folder[64];
    SSL_CTX *ctx, *other_ctx; /* for localhost; for another name */
    char *ca, *wrong_ca;      /* files */
    int listener;
    unsigned port;
    /* What the next connection gets. */
    SSL_CTX *use;
    const char *head;
    size_t body; /* bytes 'x'; 0: DOCUMENT */
    bool silent; /* no answer until the client goes */
    atomic_bool client_is_back;
} server;

static void answer(SSL *ssl)
{
    char text[512], head[256];
    size_t len = server.body;
    int n;

    (void)snprintf(text, sizeof text, DOCUMENT, server.port);
    if (len == 0)
        len = strlen(text);
    n = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", server.head, len);
    if (SSL_write(ssl, head, n) <= 0)
        return;
    if (server.body == 0) {
        (void)SSL_write(ssl, text, (int)len);
        return;
    }
    memset(text, 'x', sizeof text);
    for (size_t left = server.body; left > 0;) {
        int some = left > sizeof text ? (int)sizeof text : (int)left;
        if (SSL_write(ssl, text, some) <= 0)
            return;
        left -= (size_t)some;
    }
}

/* The next connection; -1 if the client is back and made none, having timed out before. */
static int next_connection(void)
{
    struct pollfd listener = {server.listener, POLLIN, 0};
    bool is_back = false;

    while (poll(&listener, 1, 20) == 0) {
        if (is_back)
            return -1;
        is_back = atomic_load(&server.client_is_back);
    }
    return accept(server.listener, NULL, NULL);
}

static void *serve_one(void *arg)
{
    int fd = next_connection();
    SSL *ssl = SSL_new(server.use);
    char request[4096];

    (void)arg;
    if (fd < 0 || ssl == NULL) {
        SSL_free(ssl);
        return NULL;
    }
    if (SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1 &&
        SSL_read(ssl, request, sizeof request) > 0) {
        if (server.silent) /* until the client closes */
            (void)SSL_read(ssl, request, sizeof request);
        else
            answer(ssl);
        (void)SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    (void)close(fd);
    return NULL;
}

static SSL_CTX *make_ctx(X509 *ca, EVP_PKEY *ca_key, const char *host)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = make_cert(key, ca, ca_key, host);

    assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
    X509_free(cert);
    EVP_PKEY_free(key);
    return ctx;
}

static int set_up(void **state)
{
    EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *wrong_key = EVP_EC_gen("P-256");
    X509 *ca = make_cert(ca_key, NULL, NULL, NULL);
    X509 *wrong = make_cert(wrong_key, NULL, NULL, NULL);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;

    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    assert_int_equal(setenv("no_proxy", "localhost", 1), 0);
    (void)snprintf(server.folder, sizeof server.folder, "/tmp/test_fetch.XXXXXX");
    assert_non_null(mkdtemp(server.folder));
    server.ca = write_pem(server.folder, "ca.pem", ca);
    server.wrong_ca = write_pem(server.folder, "wrong.pem", wrong);
    server.ctx = make_ctx(ca, ca_key, "localhost");
    server.other_ctx = make_ctx(ca, ca_key, "other.example");
    server.listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server.listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server.listener, 4), 0);
    assert_int_equal(getsockname(server.listener, (struct sockaddr *)&address, &len), 0);
    server.port = ntohs(address.sin_port);
    X509_free(ca);
    X509_free(wrong);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(wrong_key);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(server.ca);
    (void)unlink(server.wrong_ca);
    (void)rmdir(server.folder);
    free(server.ca);
    free(server.wrong_ca);
    SSL_CTX_free(server.ctx);
    SSL_CTX_free(server.other_ctx);
    (void)close(server.listener);
    return 0;
}

/* ---- fetching ---- */

struct attempt {
    SSL_CTX *use;
    const char *head, *ca;
    size_t body;
    long timeout_ms;
    bool silent;
    fm_status want;
    const char *text;
};

static void attempt(const struct attempt *a)
{
    struct resolve_fetch what = {.ca_file = a->ca, .max_len = 1000};
    struct base_buf out = {0};
    struct base_err err = {0};
    char address[64];
    pthread_t thread;

    server.use = a->use;
    server.head = a->head;
    server.body = a->body;
    server.silent = a->silent;
    atomic_store(&server.client_is_back, false);
    assert_int_equal(pthread_create(&thread, NULL, serve_one, NULL), 0);
    (void)snprintf(address, sizeof address, "https://localhost:%u/did.json", server.port);
    what.address = address;
    what.timeout_ms = a->timeout_ms != 0 ? a->timeout_ms : 60000;
    assert_int_equal(resolve_fetch(&out, &what, &err), a->want);
    atomic_store(&server.client_is_back, true);
    if (a->want != FM_OK && strstr(err.text, a->text) == NULL)
        fail_msg("'%s' is not in: %s", a->text, err.text);
    assert_int_equal(pthread_join(thread, NULL), 0);
    base_buf_release(&out);
}

static void each_answer_by_its_kind(void **state)
{
    const struct attempt all[] = {
        {server.ctx, "200 OK", server.ca, 0, 0, false, FM_OK, ""},
        {server.ctx, "200 OK", server.ca, 1000, 0, false, FM_OK, ""},
        {server.ctx, "200 OK", server.ca, 1001, 0, false, FM_E_LIMIT, "longer than 1000 bytes"},
        {server.ctx, "404 Not Found", server.ca, 0, 0, false, FM_E_NOT_FOUND, "(404)"},
        {server.ctx, "410 Gone", server.ca, 0, 0, false, FM_E_NOT_FOUND, "(410)"},
        {server.ctx, "500 No", server.ca, 0, 0, false, FM_E_PEER, "answered 500"},
        {server.ctx, "301 Moved\r\nLocation: https://localhost/", server.ca, 0, 0, false, FM_E_PEER,
         "is not followed"},
        {server.ctx, "200 OK", server.wrong_ca, 0, 0, false, FM_E_AUTH, "certificate"},
        {server.ctx, "200 OK", NULL, 0, 0, false, FM_E_AUTH, "certificate"},
        {server.other_ctx, "200 OK", server.ca, 0, 0, false, FM_E_AUTH, "localhost"},
        {server.ctx, "200 OK", server.ca, 0, 300, true, FM_E_TIMEOUT, "within 300 ms"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        attempt(&all[i]);
}

static void nothing_is_connected_to(void **state)
{
    struct base_buf out = {0};
    struct base_err err = {0};
    struct resolve_fetch what = {"http://localhost/", NULL, 10, 1000};

    (void)state;
    assert_int_equal(resolve_fetch(&out, &what, &err), FM_E_ARG);
    what.address = "file:///etc/passwd";
    assert_int_equal(resolve_fetch(&out, &what, &err), FM_E_ARG);
    what.address = "https://no-such-host.invalid/";
    what.timeout_ms = 20000;
    assert_true(resolve_fetch(&out, &what, &err) != FM_OK);
    assert_int_equal(out.len, 0);
    base_buf_release(&out);
}

/* ---- resolving through it ---- */

static fm_status resolve(json_t **result, const char *url, struct base_err *err)
{
    const struct resolve_sources sources = {.ca_file = server.ca};
    const struct did_which newest = {0};
    pthread_t thread;
    fm_status st;

    server.use = server.ctx;
    server.head = "200 OK";
    server.body = 0;
    server.silent = false;
    atomic_store(&server.client_is_back, false);
    assert_int_equal(pthread_create(&thread, NULL, serve_one, NULL), 0);
    st = resolve_url(result, &sources, url, &newest, err);
    atomic_store(&server.client_is_back, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return st;
}

static void web_is_resolved(void **state)
{
    struct base_err err = {0};
    json_t *result;
    char url[80];

    (void)state;
    (void)snprintf(url, sizeof url, DID "%%3A%u", server.port);
    assert_int_equal(resolve(&result, url, &err), FM_OK);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(result, "didDocument"), "id")), url);
    json_decref(result);
    (void)snprintf(url, sizeof url, DID "%%3A%u#x", server.port);
    assert_int_equal(resolve(&result, url, &err), FM_OK);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(result, "contentStream"), "type")), "T");
    json_decref(result);
    (void)snprintf(url, sizeof url, DID "%%3A%u#y", server.port);
    assert_int_equal(resolve(&result, url, &err), FM_E_NOT_FOUND);
    json_decref(result);
    (void)snprintf(url, sizeof url, DID "%%3A%u:a", server.port); /* it serves the other's */
    assert_int_equal(resolve(&result, url, &err), FM_E_INPUT);
    json_decref(result);
}

static void others_are_refused(void **state)
{
    static const struct {
        const char *url, *error;
        fm_status code;
    } all[] = {
        {"did:example:1", "methodNotSupported", FM_E_UNSUPPORTED},
        {"did:key:z6Mkx", "invalidDid", FM_E_ARG},
        {"did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp?versionId=1",
         "methodNotSupported", FM_E_UNSUPPORTED},
        {"did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp?hl=1", "methodNotSupported",
         FM_E_UNSUPPORTED},
        {"did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp/x", "methodNotSupported",
         FM_E_UNSUPPORTED},
        {"did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp#x", "notFound", FM_E_NOT_FOUND},
        {"did:web:127.0.0.1", "invalidDid", FM_E_ARG},
        {"did:firmiana:x:y", "invalidDid", FM_E_ARG},
        {"nonsense", "invalidDid", FM_E_ARG},
    };
    const struct resolve_sources none = {0};
    const struct did_which newest = {0};
    struct base_err err = {0};
    json_t *result;

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_int_equal(resolve_url(&result, &none, all[i].url, &newest, &err), all[i].code);
        assert_string_equal(json_string_value(json_object_get(
                                json_object_get(result, "didResolutionMetadata"), "error")),
                            all[i].error);
        json_decref(result);
    }
    assert_int_equal(resolve_did(&result, &none,
                                 "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
                                 &newest, &err),
                     FM_OK);
    json_decref(result);
    assert_int_equal(resolve_did(&result, &none,
                                 "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp#x",
                                 &newest, &err),
                     FM_E_ARG);
    json_decref(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_by_its_kind),
        cmocka_unit_test(nothing_is_connected_to),
        cmocka_unit_test(web_is_resolved),
        cmocka_unit_test(others_are_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
