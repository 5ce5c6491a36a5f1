#include "admin-ui/page/page_state.h"

#include <string.h>

#include "admin-ui/page/page_json.h"

static const char *const classes[][2] = {
    /* partners and certificates */
    {"trusted", "good"},
    {"valid", "good"},
    {"usable", "good"},
    {"ready", "good"},
    {"new", "good"},
    {"stored", "good"},
    {"done", "good"},
    {"known", "info"},
    {"reading", "info"},
    {"storing", "info"},
    {"warned", "warn"},
    {"cancelled", "warn"},
    {"failed", "bad"},
    {"pending", "warn"},
    {"expires soon", "warn"},
    {"stale", "warn"},
    {"not yet valid", "warn"},
    {"offered", "info"},
    {"untried", "info"},
    {"not used yet", "info"},
    {"uncertain", "warn"},
    {"withdrawn", "warn"},
    {"no key", "bad"},
    {"downgraded", "bad"},
    {"expired", "bad"},
    {"weak", "bad"},
    {"revoked", "bad"},
    {"unusable", "bad"},
    {"frozen", "bad"},
    {"not trusted any more", "bad"},
    /* processes and nodes */
    {"up", "good"},
    {"running", "good"},
    {"starting", "warn"},
    {"stopping", "warn"},
    {"dead", "bad"},
    /* what became of mail */
    {"delivered", "good"},
    {"sealed", "good"},
    {"signed", "good"},
    {"opened", "good"},
    {"queued", "info"},
    {"active", "info"},
    {"accepted", "info"},
    {"received", "info"},
    {"notified", "info"},
    {"reported", "info"},
    {"deferred", "warn"},
    {"held", "warn"},
    {"hold", "warn"},
    {"refused", "bad"},
    {"bounced", "bad"},
    {"deleted", "bad"},
};

const char *page_state_class(const char *word)
{
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
		if (strcmp(classes[i][0], word) == 0)
			return classes[i][1];
	return "";
}

json_t *page_state(const char *word)
{
	json_t *o = json_object();

	page_json_set(o, "word", page_json_text(word));
	page_json_set(o, "class", json_string(page_state_class(word)));
	return o;
}
