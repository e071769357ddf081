/* Stands between countersign and aws-lc. The linker has every call of these functions come here first.
 *
 * For memcheck, what aws-lc hands over is marked: a secret as undefined, so that every branch and every index that
 * depends on it is reported; what the protocol makes public as defined. For the search in memory, every secret that
 * passes is learnt.
 *
 * Outside of Valgrind the marks do nothing.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
/* The names that the linker's --wrap gives to the function of aws-lc, and to the one that takes its place. */
#define REAL(name) JOIN(__real_, JOIN(PREFIX, name))
#define WRAP(name) JOIN(__wrap_, JOIN(PREFIX, name))

/* In Rust. */
void sidechannels_learn(const char *what, const uint8_t *secret, size_t len);

void sidechannels_hide(const uint8_t *secret, size_t len) {
  (void)VALGRIND_MAKE_MEM_UNDEFINED(secret, len);
}

void sidechannels_reveal(const uint8_t *public, size_t len) {
  (void)VALGRIND_MAKE_MEM_DEFINED(public, len);
}

/* Whether each bit counts as secret. */
int sidechannels_is_hidden(const uint8_t *bytes, size_t len) {
  for (size_t i = 0; i < len; i++) {
    uint8_t bits = 0;
    if (VALGRIND_GET_VBITS(bytes + i, &bits, 1) != 1 || bits != 0xff) {
      return 0;
    }
  }
  return 1;
}

int sidechannels_under_valgrind(void) { return RUNNING_ON_VALGRIND != 0; }

static void hide(const char *what, const uint8_t *secret, size_t len) {
  sidechannels_learn(what, secret, len);
  sidechannels_hide(secret, len);
}

/* Key exchange: where the secrets come from. */

int REAL(EVP_PKEY_derive)(void *ctx, uint8_t *key, size_t *len);
int WRAP(EVP_PKEY_derive)(void *ctx, uint8_t *key, size_t *len) {
  int ok = REAL(EVP_PKEY_derive)(ctx, key, len);
  if (ok == 1 && key != NULL) {
    hide("a secret agreed on a curve", key, *len);
  }
  return ok;
}

int REAL(EVP_PKEY_encapsulate)(void *ctx, uint8_t *ciphertext, size_t *ciphertext_len, uint8_t *secret,
                               size_t *len);
int WRAP(EVP_PKEY_encapsulate)(void *ctx, uint8_t *ciphertext, size_t *ciphertext_len, uint8_t *secret,
                               size_t *len) {
  int ok = REAL(EVP_PKEY_encapsulate)(ctx, ciphertext, ciphertext_len, secret, len);
  if (ok == 1 && secret != NULL) {
    hide("an encapsulated secret", secret, *len);
  }
  return ok;
}

int REAL(EVP_PKEY_decapsulate)(void *ctx, uint8_t *secret, size_t *len, const uint8_t *ciphertext,
                               size_t ciphertext_len);
int WRAP(EVP_PKEY_decapsulate)(void *ctx, uint8_t *secret, size_t *len, const uint8_t *ciphertext,
                               size_t ciphertext_len) {
  int ok = REAL(EVP_PKEY_decapsulate)(ctx, secret, len, ciphertext, ciphertext_len);
  if (ok == 1 && secret != NULL) {
    hide("a decapsulated secret", secret, *len);
  }
  return ok;
}

/* The key schedules: what goes in is learnt, what comes out is undefined because that was. */

int REAL(HMAC_Init_ex)(void *ctx, const void *key, size_t key_len, const void *md, void *impl);
int WRAP(HMAC_Init_ex)(void *ctx, const void *key, size_t key_len, const void *md, void *impl) {
  if (key != NULL) {
    sidechannels_learn("a key of HMAC", key, key_len);
  }
  return REAL(HMAC_Init_ex)(ctx, key, key_len, md, impl);
}

int REAL(CRYPTO_tls1_prf)(const void *digest, uint8_t *out, size_t out_len, const uint8_t *secret, size_t secret_len,
                          const char *label, size_t label_len, const uint8_t *seed1, size_t seed1_len,
                          const uint8_t *seed2, size_t seed2_len);
int WRAP(CRYPTO_tls1_prf)(const void *digest, uint8_t *out, size_t out_len, const uint8_t *secret, size_t secret_len,
                          const char *label, size_t label_len, const uint8_t *seed1, size_t seed1_len,
                          const uint8_t *seed2, size_t seed2_len) {
  sidechannels_learn("a secret of the PRF", secret, secret_len);
  return REAL(CRYPTO_tls1_prf)(digest, out, out_len, secret, secret_len, label, label_len, seed1, seed1_len, seed2,
                               seed2_len);
}

/* Record protection and tickets: a ciphertext is public. So is, for the code that reads it, the content of a record:
 * what is in it, is done. Only what a ticket says is secret still: the secret of the session in it. */

static const char SESSION[] = "countersign session ";

/* A session is written as a format, a suite of two bytes, the length of its secret, the secret. */
#define SECRET_LEN_AT 3

static int is_session(const uint8_t *ad, size_t ad_len, size_t len) {
  size_t label_len = sizeof(SESSION) - 1;
  return ad_len > label_len && memcmp(ad, SESSION, label_len) == 0 && len > SECRET_LEN_AT;
}

void *REAL(EVP_AEAD_CTX_new)(const void *aead, const uint8_t *key, size_t key_len, size_t tag_len);
void *WRAP(EVP_AEAD_CTX_new)(const void *aead, const uint8_t *key, size_t key_len, size_t tag_len) {
  sidechannels_learn("a record or ticket key", key, key_len);
  return REAL(EVP_AEAD_CTX_new)(aead, key, key_len, tag_len);
}

int REAL(EVP_AEAD_CTX_seal_scatter)(const void *ctx, uint8_t *out, uint8_t *tag, size_t *tag_len, size_t max_tag_len,
                                    const uint8_t *nonce, size_t nonce_len, const uint8_t *in, size_t in_len,
                                    const uint8_t *extra, size_t extra_len, const uint8_t *ad, size_t ad_len);
int WRAP(EVP_AEAD_CTX_seal_scatter)(const void *ctx, uint8_t *out, uint8_t *tag, size_t *tag_len, size_t max_tag_len,
                                    const uint8_t *nonce, size_t nonce_len, const uint8_t *in, size_t in_len,
                                    const uint8_t *extra, size_t extra_len, const uint8_t *ad, size_t ad_len) {
  if (!is_session(ad, ad_len, in_len)) {
    sidechannels_learn("a nonce", nonce, nonce_len);
  } else {
    const uint8_t *secret = in + SECRET_LEN_AT + 1;
    size_t secret_len = in[SECRET_LEN_AT];
    sidechannels_learn("the secret of a session", secret, secret_len);
    if (sidechannels_under_valgrind() && !sidechannels_is_hidden(secret, secret_len)) {
      fputs("error: the secret of a session does not come from a secret\n", stderr);
      abort();
    }
  }
  int ok = REAL(EVP_AEAD_CTX_seal_scatter)(ctx, out, tag, tag_len, max_tag_len, nonce, nonce_len, in, in_len, extra,
                                           extra_len, ad, ad_len);
  if (ok == 1) {
    sidechannels_reveal(out, in_len);
    sidechannels_reveal(tag, *tag_len);
  }
  return ok;
}

int REAL(EVP_AEAD_CTX_open_gather)(const void *ctx, uint8_t *out, const uint8_t *nonce, size_t nonce_len,
                                   const uint8_t *in, size_t in_len, const uint8_t *tag, size_t tag_len,
                                   const uint8_t *ad, size_t ad_len);
int WRAP(EVP_AEAD_CTX_open_gather)(const void *ctx, uint8_t *out, const uint8_t *nonce, size_t nonce_len,
                                   const uint8_t *in, size_t in_len, const uint8_t *tag, size_t tag_len,
                                   const uint8_t *ad, size_t ad_len) {
  int ok = REAL(EVP_AEAD_CTX_open_gather)(ctx, out, nonce, nonce_len, in, in_len, tag, tag_len, ad, ad_len);
  sidechannels_reveal(out, in_len);
  if (ok == 1 && is_session(ad, ad_len, in_len)) {
    hide("the secret of a session", out + SECRET_LEN_AT + 1, out[SECRET_LEN_AT]);
  }
  return ok;
}

/* The one comparison that may see secrets: that they differ is what it is there to tell, and no more. aws-lc compares
 * the tags of records with it too. */

int REAL(CRYPTO_memcmp)(const void *a, const void *b, size_t len);
int WRAP(CRYPTO_memcmp)(const void *a, const void *b, size_t len) {
  int differ = REAL(CRYPTO_memcmp)(a, b, len);
  sidechannels_reveal((const uint8_t *)&differ, sizeof differ);
  return differ;
}

/* Signatures: what is signed is public to both ends, though a hash of it may hold a Finished, which was computed from
 * secrets. */

int REAL(EVP_DigestSign)(void *ctx, uint8_t *signature, size_t *signature_len, const uint8_t *data, size_t len);
int WRAP(EVP_DigestSign)(void *ctx, uint8_t *signature, size_t *signature_len, const uint8_t *data, size_t len) {
  sidechannels_reveal(data, len);
  return REAL(EVP_DigestSign)(ctx, signature, signature_len, data, len);
}

int REAL(EVP_DigestVerify)(void *ctx, const uint8_t *signature, size_t signature_len, const uint8_t *data, size_t len);
int WRAP(EVP_DigestVerify)(void *ctx, const uint8_t *signature, size_t signature_len, const uint8_t *data, size_t len) {
  sidechannels_reveal(data, len);
  return REAL(EVP_DigestVerify)(ctx, signature, signature_len, data, len);
}
