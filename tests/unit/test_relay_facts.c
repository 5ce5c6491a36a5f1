/* What is remembered with a raw message comes back; damage gives less, never something else. */
#include "gateway/proc/relay_facts.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static const struct relay_facts nothing;

START_TEST(round_trip)
{
	static const char *const clients[] = {"", "192.0.2.1", "2001:db8::1", "a\"b\\c\x01",
	    "012345678901234567890123456789012345678901234567890123456789012"};
	struct relay_facts m, g;

	memset(&m, 0, sizeof(m));
	(void)snprintf(m.client, sizeof(m.client), "%s", clients[_i / 2]);
	m.have_key_hash = _i % 2;
	if (m.have_key_hash)
		for (size_t i = 0; i < sizeof(m.key_hash); i++)
			m.key_hash[i] = (uint8_t)(i * 9);
	char *text = relay_facts_text(&m);
	relay_facts_parse(text, &g);
	ck_assert_str_eq(g.client, m.client);
	ck_assert_int_eq(g.have_key_hash, m.have_key_hash);
	ck_assert_mem_eq(g.key_hash, m.key_hash, sizeof(m.key_hash));
	free(text);
}
END_TEST

static const char *const damaged[] = {"", "{", "null", "[]", "7", "\"x\"", "{}", "{\"client\":\"192.0.2.1\"}",
    "{\"client\":1,\"key_hash\":\"\"}", "{\"client\":\"192.0.2.1\",\"key_hash\":[]}", "{\"body8\":true}",
    "{\"client\":\"a\",\"key_hash\":\"\"} x"};

START_TEST(damage)
{
	struct relay_facts g;

	memset(&g, 0xee, sizeof(g));
	relay_facts_parse(damaged[_i], &g);
	ck_assert_str_eq(g.client, "");
	ck_assert(!g.have_key_hash);
	ck_assert_mem_eq(g.key_hash, nothing.key_hash, sizeof(g.key_hash));
}
END_TEST

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddee"
static const struct {
	const char *hex;
	bool good;
} hashes[] = {{HEX "ff", true}, {HEX, false}, {HEX "f", false}, {HEX "ff00", false}, {HEX "fg", false}, {"", false},
    {" " HEX "ff", false}};

START_TEST(key_hashes)
{
	char text[256];
	struct relay_facts g;

	(void)snprintf(text, sizeof(text), "{\"client\":\"192.0.2.1\",\"key_hash\":\"%s\"}", hashes[_i].hex);
	relay_facts_parse(text, &g);
	ck_assert_str_eq(g.client, "192.0.2.1");
	ck_assert_int_eq(g.have_key_hash, hashes[_i].good);
}
END_TEST

/* A client's name of any length is cut, not overrun. */
START_TEST(long_client)
{
	char text[1024];
	struct relay_facts g;

	(void)snprintf(text, sizeof(text), "{\"client\":\"%0500d\",\"key_hash\":\"\"}", 0);
	relay_facts_parse(text, &g);
	ck_assert_uint_eq(strlen(g.client), sizeof(g.client) - 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_facts");
	TCase *t = tcase_create("relay_facts");

	tcase_add_loop_test(t, round_trip, 0, 10);
	tcase_add_loop_test(t, damage, 0, (int)(sizeof(damaged) / sizeof(damaged[0])));
	tcase_add_loop_test(t, key_hashes, 0, (int)(sizeof(hashes) / sizeof(hashes[0])));
	tcase_add_test(t, long_client);
	suite_add_tcase(s, t);
	return suite_run(s);
}
