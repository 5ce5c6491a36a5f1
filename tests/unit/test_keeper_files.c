/* The master file and the sealed key files: right and wrong passphrase, every octet damaged, renamed, given another
 * use. */
#include "gateway/keys/keeper_files.h"

#include "gateway/base/log.h"
#include "tests/unit/keeper_fixture.h"

static struct keeper_secrets *secrets;

static void setup(void)
{
	struct problem pr = {0};

	log_init("test", LOG_LEVEL_ERROR);
	secrets = keeper_files_master_open(
	    FIXTURE_PASSPHRASE, strlen(FIXTURE_PASSPHRASE), fixture_master.p, fixture_master.len, &pr);
	ck_assert_msg(secrets != NULL, "%s", pr.text);
}

static void teardown(void)
{
	keeper_files_secrets_free(secrets);
}

START_TEST(master)
{
	struct keeper_secrets *again, *other;
	struct problem pr = {0};
	struct buf second;

	ck_assert_uint_eq(fixture_master.len, KEEPER_FILES_MASTER);
	again = keeper_files_master_open(
	    FIXTURE_PASSPHRASE, strlen(FIXTURE_PASSPHRASE), fixture_master.p, fixture_master.len, &pr);
	ck_assert_mem_eq(again, secrets, sizeof(*secrets));
	ck_assert_mem_ne(secrets->master, secrets->queue, 32);
	keeper_files_secrets_free(again);

	ck_assert_ptr_null(keeper_files_master_open("wrong", 5, fixture_master.p, fixture_master.len, &pr));
	ck_assert_int_eq(pr.cls, PROBLEM_PERM);
	ck_assert_ptr_nonnull(strstr(pr.text, "passphrase is not the one"));

	buf_init(&second, 1024);
	ck_assert_int_eq(keeper_files_master_make(FIXTURE_PASSPHRASE, strlen(FIXTURE_PASSPHRASE), &second, &pr), 0);
	other = keeper_files_master_open(FIXTURE_PASSPHRASE, strlen(FIXTURE_PASSPHRASE), second.p, second.len, &pr);
	ck_assert_mem_ne(other, secrets, sizeof(*secrets));
	keeper_files_secrets_free(other);
	buf_clear(&second);
	ck_assert_int_eq(keeper_files_master_make("", 0, &second, &pr), -1);
}
END_TEST

/* One octet of each part of the file: magic, version, cost, salt, check value, nonce, ciphertext, tag. */
START_TEST(master_damaged)
{
	static const size_t at[] = {0, 7, 8, 9, 10, 11, 42, 43, 58, 59, 71, 100, 150};
	uint8_t copy[KEEPER_FILES_MASTER];
	struct problem pr = {0};

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		memcpy(copy, fixture_master.p, sizeof(copy));
		copy[at[i]] ^= 0x40;
		problem_clear(&pr);
		ck_assert_ptr_null(keeper_files_master_open(
		    FIXTURE_PASSPHRASE, strlen(FIXTURE_PASSPHRASE), copy, sizeof(copy), &pr));
		ck_assert_int_eq(pr.cls, PROBLEM_PERM);
	}
	/* a cost that would exhaust the machine is not even tried */
	memcpy(copy, fixture_master.p, sizeof(copy));
	copy[8] = 30;
	ck_assert_ptr_null(keeper_files_master_open("x", 1, copy, sizeof(copy), &pr));
	for (size_t n = 0; n < sizeof(copy); n++)
		ck_assert_ptr_null(keeper_files_master_open("x", 1, copy, n, &pr));
}
END_TEST

static struct keeper_key *make(const char *id, enum keys_use use, enum keys_algo algo)
{
	struct problem pr = {0};
	EVP_PKEY *pkey = keeper_files_pkcs8(fixture_pkcs8[algo].p, fixture_pkcs8[algo].len, id, &pr);
	struct keeper_key *key;

	ck_assert_msg(pkey != NULL, "%s", pr.text);
	key = keeper_keys_new(id, use, pkey, &pr);
	ck_assert_msg(key != NULL, "%s", pr.text);
	return key;
}

static const enum keys_algo algos[] = {KEYS_RSA_2048, KEYS_EC_P256, KEYS_EC_P384, KEYS_EC_P521};

START_TEST(key_round_trip)
{
	struct keeper_key *key = make("hospital.example-1", KEYS_USE_DECRYPT, algos[_i]), *back;
	struct problem pr = {0};
	struct buf file;

	buf_init(&file, KEEPER_FILES_KEY_MAX);
	ck_assert_int_eq(keeper_files_seal(secrets, key, &file, &pr), 0);
	back = keeper_files_open(secrets, "hospital.example-1.key", file.p, file.len, &pr);
	ck_assert_msg(back != NULL, "%s", pr.text);
	ck_assert_str_eq(back->id, key->id);
	ck_assert_int_eq(back->use, KEYS_USE_DECRYPT);
	ck_assert_int_eq(back->algo, algos[_i]);
	ck_assert_int_eq(EVP_PKEY_eq(back->pkey, key->pkey), 1);
	ck_assert_int_eq(back->reject == NULL, algos[_i] != KEYS_RSA_2048);
	if (back->reject)
		ck_assert_mem_eq(back->reject, key->reject, KEEPER_REJECT_KEY);
	keeper_keys_unref(back);
	keeper_keys_unref(key);
	buf_clear(&file);
}
END_TEST

/* No part of PKCS #8 can be read in the file. */
START_TEST(key_is_sealed)
{
	struct keeper_key *key = make("a", KEYS_USE_SIGN, KEYS_EC_P256);
	struct problem pr = {0};
	struct buf file;

	buf_init(&file, KEEPER_FILES_KEY_MAX);
	ck_assert_int_eq(keeper_files_seal(secrets, key, &file, &pr), 0);
	for (size_t i = 0; i + 16 <= fixture_pkcs8[KEYS_EC_P256].len; i++)
		ck_assert_ptr_null(memmem(file.p, file.len, fixture_pkcs8[KEYS_EC_P256].p + i, 16));
	keeper_keys_unref(key);
	buf_clear(&file);
}
END_TEST

START_TEST(key_damaged)
{
	struct keeper_key *key = make("ab", KEYS_USE_SIGN, KEYS_EC_P256);
	struct problem pr = {0};
	struct buf file;

	buf_init(&file, KEEPER_FILES_KEY_MAX);
	ck_assert_int_eq(keeper_files_seal(secrets, key, &file, &pr), 0);
	for (size_t i = 0; i < file.len; i++) {
		file.p[i] ^= 1;
		problem_clear(&pr);
		ck_assert_ptr_null(keeper_files_open(secrets, "ab.key", file.p, file.len, &pr));
		ck_assert_int_eq(pr.cls, PROBLEM_PERM);
		ck_assert_ptr_nonnull(strstr(pr.text, "ab.key"));
		file.p[i] ^= 1;
	}
	for (size_t n = 0; n < file.len; n++)
		ck_assert_ptr_null(keeper_files_open(secrets, "ab.key", file.p, n, &pr));
	ck_assert_int_eq(buf_addc(&file, 0), 0);
	ck_assert_ptr_null(keeper_files_open(secrets, "ab.key", file.p, file.len, &pr));
	keeper_keys_unref(key);
	buf_clear(&file);
}
END_TEST

/* Another name, another use, another keeper. */
START_TEST(key_moved)
{
	static const char *const names[] = {
	    "ac.key", "ab", "ab.key.old", "a.key", "abb.key", "../ab.key", "", "ab.KEY"};
	struct keeper_key *key = make("ab", KEYS_USE_SIGN, KEYS_EC_P256);
	struct keeper_secrets other = *secrets;
	struct problem pr = {0};
	struct buf file;

	buf_init(&file, KEEPER_FILES_KEY_MAX);
	ck_assert_int_eq(keeper_files_seal(secrets, key, &file, &pr), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_ptr_null(keeper_files_open(secrets, names[i], file.p, file.len, &pr));
	file.p[12] = 'c'; /* the name inside as well: then the seal is wrong */
	ck_assert_ptr_null(keeper_files_open(secrets, "ac.key", file.p, file.len, &pr));
	ck_assert_ptr_nonnull(strstr(pr.text, "sealed by another keeper"));
	file.p[12] = 'b';
	file.p[8] = KEYS_USE_TLS;
	ck_assert_ptr_null(keeper_files_open(secrets, "ab.key", file.p, file.len, &pr));
	file.p[8] = KEYS_USE_SIGN;
	other.master[0] ^= 1;
	ck_assert_ptr_null(keeper_files_open(&other, "ab.key", file.p, file.len, &pr));
	mem_wipe(&other, sizeof(other));
	keeper_keys_unref(key);
	buf_clear(&file);
}
END_TEST

/* What an import refuses. */
START_TEST(pkcs8)
{
	struct problem pr = {0};
	struct buf copy;
	EVP_PKEY *odd = _i == 0	  ? EVP_RSA_gen(1024)
			: _i == 1 ? EVP_EC_gen("brainpoolP256r1")
				  : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(odd);
	unsigned char *der = NULL;
	int n = i2d_PKCS8_PRIV_KEY_INFO(info, &der);

	ck_assert_int_gt(n, 0);
	ck_assert_ptr_null(keeper_files_pkcs8(der, (size_t)n, "odd", &pr));
	ck_assert_ptr_nonnull(strstr(pr.text, "the keeper takes RSA"));
	ck_assert_ptr_null(keeper_files_pkcs8(der, (size_t)n - 1, "cut", &pr));
	ck_assert_ptr_null(keeper_files_pkcs8("", 0, "none", &pr));
	buf_init(&copy, KEEPER_PKCS8_MAX);
	ck_assert_int_eq(buf_add(&copy, fixture_pkcs8[KEYS_RSA_2048].p, fixture_pkcs8[KEYS_RSA_2048].len), 0);
	ck_assert_int_eq(buf_addc(&copy, 0), 0);
	ck_assert_ptr_null(keeper_files_pkcs8(copy.p, copy.len, "trailing", &pr));
	copy.p[copy.len - 20] ^= 1; /* inside the last number of the key */
	ck_assert_ptr_null(keeper_files_pkcs8(copy.p, copy.len - 1, "unsound", &pr));
	ck_assert_ptr_nonnull(strstr(pr.text, "not sound"));
	buf_clear(&copy);
	OPENSSL_free(der);
	PKCS8_PRIV_KEY_INFO_free(info);
	EVP_PKEY_free(odd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("keeper_files");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 300);
	tcase_add_test(t, master);
	tcase_add_test(t, master_damaged);
	tcase_add_loop_test(t, key_round_trip, 0, 3);
	tcase_add_test(t, key_is_sealed);
	tcase_add_test(t, key_damaged);
	tcase_add_test(t, key_moved);
	tcase_add_loop_test(t, pkcs8, 0, 3);
	suite_add_tcase(s, t);
	return fixture_run(s, 1u << KEYS_RSA_2048 | 1u << KEYS_EC_P256 | 1u << KEYS_EC_P384 | 1u << KEYS_EC_P521);
}
