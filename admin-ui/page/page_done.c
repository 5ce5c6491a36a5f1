#include "admin-ui/page/page_done.h"

#include <stddef.h>
#include <string.h>

static const char *const sentences[][2] = {
    {"partner-added", "The partner is listed."},
    {"partner-changed", "The partner's entry is changed."},
    {"partner-removed", "The partner is no longer listed."},
    {"partner-released", "The partner is released: mail to it need not be protected because it once was."},
    {"statement-fetched", "The statement was fetched."},
    {"statement-pinned", "The pin of its statement's key is changed."},
    {"statement-approved", "The statement is approved. Mail that waited for it goes on."},
    {"statement-refused", "The statement is refused. What is trusted stays as it is."},
    {"statement-compromised", "The key is marked as compromised: nothing that it signs is believed again."},
    {"proposed", "Nothing is changed yet: it waits for a second person, who finds it here."},
    {"proposal-confirmed", "It is done, in the name of both."},
    {"proposal-dropped", "It is dropped: nothing was changed."},
    {"certificate-accepted", "The new certificate is taken in place of the old one."},
    {"certificates-imported", "The certificates are stored."},
    {"certificate-removed", "The certificate is removed."},
    {"certificate-installed", "The certificate is installed."},
    {"anchors-added", "The anchors count from now on."},
    {"anchor-removed", "The anchor counts no longer."},
    {"bundle-added", "The bundle is added. It is fetched within the hour; its page has a button for now."},
    {"bundle-refreshed", "The bundle is being fetched. You may leave this page."},
    {"bundle-removed", "The bundle and its anchors are removed."},
    {"key-retired", "The key is retired."},
    {"rule-added", "The rule counts from now on."},
    {"rule-changed", "The rule is changed, and counts so from now on."},
    {"rule-removed", "The rule counts no longer."},
    {"user-saved", "The user is stored."},
    {"user-removed", "The user, its tokens and its sessions are gone."},
    {"user-signed-out", "All sessions of the user are ended."},
    {"session-ended", "The session is over: whoever had it must sign in again."},
    {"token-revoked", "The token is revoked."},
    {"message-released", "It goes on."},
    {"message-retried", "It is tried now."},
    {"message-held", "It is held."},
    {"message-deleted", "It is deleted."},
};

const char *page_done(const char *word)
{
	for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
		if (strcmp(sentences[i][0], word) == 0)
			return sentences[i][1];
	return "";
}
