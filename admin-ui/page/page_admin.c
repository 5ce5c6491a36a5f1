#include "admin-ui/page/page_admin.h"

#include "admin-ui/page/page_audit.h"
#include "admin-ui/page/page_certs.h"
#include "admin-ui/page/page_compare.h"
#include "admin-ui/page/page_domains.h"
#include "admin-ui/page/page_import.h"
#include "admin-ui/page/page_pending.h"
#include "admin-ui/page/page_policy.h"
#include "admin-ui/page/page_settings.h"
#include "admin-ui/page/page_users.h"

#define WITH_RULE                                                                                                    \
	"with_rule.name=?name with_rule.sender=?sender with_rule.recipient=?recipient "                              \
	"with_rule.treatment=?treatment "                                                                            \
	"with_rule.strength=?strength with_rule.exempt=?exempt with_rule.position#=?position"
#define ASKS(...) ((const struct page_question[]){__VA_ARGS__, {0}})

static const struct page pages[] = {
    {"/login", "Sign in", NULL, PAGE_ANYBODY, NULL, NULL, "login.html"},
    /* ---- decisions ---- */
    {"/pending", "Decisions", "/pending", PAGE_VIEWER,
	ASKS({PAGE_JUDGE, "statement.pending", "after=?after max#=50", "list", NULL, PAGE_MUST},
	    {PAGE_JUDGE, "cert.list", "max#=1", "certs", NULL, PAGE_MUST},
	    {PAGE_JUDGE, "proposal.list", "", "two", NULL, PAGE_MUST}),
	page_pending_list, "pending.html"},
    {"/pending/{}", "Decision", "/pending", PAGE_VIEWER,
	ASKS({PAGE_JUDGE, "partner.show", "domain={}", "partner", NULL, PAGE_MUST}), page_pending_one,
	"pending_one.html"},

    /* ---- certificates and anchors ---- */
    {"/certificates", "Certificates of partners", "/certificates", PAGE_VIEWER,
	ASKS({PAGE_JUDGE, "cert.list", "owner=?owner after#=?after max#=50", "list", NULL, PAGE_MAY_FAIL}),
	page_certs_list, "certificates.html"},
    {"/certificates/import", "Import certificates", "/certificates", PAGE_TRUST_OFFICER, NULL, page_certs_form,
	"certificate_import.html"},
    {"/imports", "Imports of many", "/certificates", PAGE_TRUST_OFFICER,
	ASKS({PAGE_JUDGE, "import.list", "", "list", NULL, PAGE_MUST}), page_import_list, "imports.html"},
    {"/imports/{}", "Import of many", "/certificates", PAGE_TRUST_OFFICER,
	ASKS({PAGE_JUDGE, "import.show", "id={} only=?only after#=?after max#=100", "show", NULL, PAGE_MUST}),
	page_import_show, "import.html"},
    {"/certificates/{}", "Certificate", "/certificates", PAGE_VIEWER,
	ASKS({PAGE_JUDGE, "cert.show", "sha256={}", "show", NULL, PAGE_MUST}), page_certs_show, "certificate.html"},
    {"/anchors", "Trust anchors", "/certificates", PAGE_VIEWER,
	ASKS({PAGE_JUDGE, "anchor.list", "scope=?scope", "list", NULL, PAGE_MAY_FAIL}), page_certs_anchors,
	"anchors.html"},
    {"/anchors/add", "Add trust anchors", "/certificates", PAGE_TRUST_OFFICER, NULL, page_certs_anchor_form,
	"anchor_add.html"},
    {"/bundles", "Trust bundles", "/certificates", PAGE_VIEWER,
	ASKS({PAGE_JUDGE, "bundle.list", "", "list", NULL, PAGE_MUST}), page_certs_bundles, "bundles.html"},
    {"/bundles/add", "Add a trust bundle", "/certificates", PAGE_TRUST_OFFICER, NULL, page_certs_anchor_form,
	"bundle_add.html"},
    {"/bundles/show", "Trust bundle", "/certificates", PAGE_VIEWER,
	ASKS({PAGE_JUDGE, "bundle.show", "url=?url", "show", NULL, PAGE_MUST}), page_certs_bundle, "bundle.html"},

    /* ---- our domains ---- */
    {"/domains", "Our domains", "/certificates", PAGE_VIEWER,
	ASKS({PAGE_JUDGE, "domain.list", "", "list", NULL, PAGE_MUST}), page_domains_list, "domains.html"},
    {"/domains/{}", "Our domain", "/certificates", PAGE_VIEWER,
	ASKS({PAGE_JUDGE, "domain.list", "domain={}", "list", NULL, PAGE_MUST},
	    {PAGE_JUDGE, "domain.show", "domain={}", "show", NULL, PAGE_MAY_FAIL},
	    {PAGE_JUDGE, "domain.records", "domain={}", "dns", NULL, PAGE_MAY_FAIL}),
	page_domains_one, "domain.html"},

    /* ---- policy ---- */
    {"/policy", "Policy", "/policy", PAGE_VIEWER,
	ASKS({PAGE_JUDGE, "rule.list", "", "list", NULL, PAGE_MUST},
	    {PAGE_JUDGE, "explain", "sender=?sender recipient=?recipient reply_to_sealed!=?reply", "explain",
		"recipient", PAGE_OPERATORS}),
	page_policy_list, "policy.html"},
    {"/policy/add", "Add a rule", "/policy", PAGE_TRUST_OFFICER,
	ASKS({PAGE_JUDGE, "rule.list", "", "list", NULL, PAGE_MUST}), page_policy_form, "policy_add.html"},

    {"/policy/edit", "Change a rule", "/policy", PAGE_TRUST_OFFICER,
	ASKS({PAGE_JUDGE, "rule.list", "", "list", NULL, PAGE_MUST}), page_policy_edit, "policy_edit.html"},

    /* ---- audit log, settings, users ---- */
    {"/audit", "Audit log", "/audit", PAGE_OPERATOR,
	ASKS({PAGE_JUDGE, "audit.list", "before#=?before max#=100", "list", NULL, PAGE_MUST},
	    {PAGE_JUDGE, "audit.verify", "head=?head", "verify", "verify", PAGE_MAY_FAIL}),
	page_audit_list, "audit.html"},
    {"/settings", "Settings", "/settings", PAGE_ADMIN,
	ASKS({PAGE_JUDGE, "settings.show", "match=?match changed!=?changed", "list", NULL, PAGE_MUST}),
	page_settings_show, "settings.html"},
    {"/users", "Users", "/users", PAGE_ADMIN, ASKS({PAGE_JUDGE, "user.list", "", "list", NULL, PAGE_MUST}),
	page_users_list, "users.html"},
    {"/users/add", "Add a user", "/users", PAGE_ADMIN, NULL, page_users_form, "user_add.html"},
    {"/users/{}", "User", "/users", PAGE_ADMIN,
	ASKS({PAGE_JUDGE, "user.list", "", "list", NULL, PAGE_MUST},
	    {PAGE_JUDGE, "user.sessions", "name={}", "in", NULL, PAGE_MAY_FAIL}),
	page_users_one, "user.html"},
};

/* What forms lead to before anything is done, or after it. */
static const struct page import_preview = {NULL, "What is in the file", "/certificates", PAGE_TRUST_OFFICER,
    ASKS({PAGE_JUDGE, "cert.preview", "content&=?content owner=?owner", "preview", NULL, PAGE_MUST}),
    page_certs_preview, "certificate_preview.html"};
static const struct page anchor_preview = {NULL, "What is in the file", "/certificates", PAGE_TRUST_OFFICER,
    ASKS({PAGE_JUDGE, "cert.preview", "content&=?content", "preview", NULL, PAGE_MUST}), page_certs_preview,
    "anchor_preview.html"};
static const struct page cert_remove_preview = {NULL, "Remove this certificate?", "/certificates", PAGE_TRUST_OFFICER,
    ASKS({PAGE_JUDGE, "cert.show", "sha256=?sha256", "show", NULL, PAGE_MUST}), page_certs_show,
    "certificate_remove.html"};
static const struct page anchor_remove_preview = {NULL, "Remove this anchor?", "/certificates", PAGE_TRUST_OFFICER,
    ASKS({PAGE_JUDGE, "cert.show", "sha256=?sha256", "show", NULL, PAGE_MUST}), page_certs_show,
    "anchor_remove.html"};
static const struct page bundle_remove_preview = {NULL, "Remove this bundle?", "/certificates", PAGE_TRUST_OFFICER,
    ASKS({PAGE_JUDGE, "bundle.show", "url=?url", "show", NULL, PAGE_MUST}), page_certs_bundle, "bundle_remove.html"};
static const struct page key_made = {
    NULL, "New keys", "/certificates", PAGE_ADMIN, NULL, page_domains_made, "domain_made.html"};
static const struct page p12_opened = {
    NULL, "What is in the file", "/certificates", PAGE_ADMIN, NULL, page_domains_opened, "domain_opened.html"};
static const struct page retire_preview = {NULL, "Retire this key?", "/certificates", PAGE_ADMIN,
    ASKS({PAGE_JUDGE, "domain.list", "domain={}", "list", NULL, PAGE_MUST}), page_domains_retire,
    "domain_retire.html"};
static const struct page rule_preview = {NULL, "What the rule would change", "/policy", PAGE_TRUST_OFFICER,
    ASKS({PAGE_JUDGE, "rule.list", "", "list", NULL, PAGE_MUST}, PAGE_COMPARE(WITH_RULE)), page_policy_preview,
    "policy_preview.html"};
static const struct page rule_edit_preview = {NULL, "What the rule would change", "/policy", PAGE_TRUST_OFFICER,
    ASKS({PAGE_JUDGE, "rule.list", "", "list", NULL, PAGE_MUST}, PAGE_COMPARE("without_rule=?name " WITH_RULE)),
    page_policy_preview, "policy_preview.html"};
static const struct page rule_remove_preview = {NULL, "Remove this rule?", "/policy", PAGE_TRUST_OFFICER,
    ASKS({PAGE_JUDGE, "rule.list", "", "list", NULL, PAGE_MUST}, PAGE_COMPARE("without_rule=?name")),
    page_policy_remove, "policy_remove.html"};
static const struct page user_remove_preview = {NULL, "Remove this user?", "/users", PAGE_ADMIN,
    ASKS({PAGE_JUDGE, "user.list", "", "list", NULL, PAGE_MUST}), page_users_one, "user_remove.html"};
static const struct page token_made = {NULL, "New token", "/users", PAGE_ADMIN, NULL, NULL, "user_token.html"};

#define DOES(verb, args)                                                                                             \
	{                                                                                                            \
		PAGE_JUDGE, verb, args, "result", NULL, PAGE_MUST                                                    \
	}
#define DECIDES "domain={} channel=?channel reason=?reason fingerprint=?fingerprint seen=?seen:"

static const struct page_action actions[] = {
    {"/pending/{}/approve", PAGE_TRUST_OFFICER, DOES("statement.approve", DECIDES " pin!=?pin follow!=?follow"),
	"/pending/{}", NULL, NULL, NULL, "/pending?done=statement-approved"},
    {"/pending/{}/refuse", PAGE_TRUST_OFFICER, DOES("statement.refuse", DECIDES), "/pending/{}", NULL, NULL, NULL,
	"/pending?done=statement-refused"},
    {"/pending/{}/compromised", PAGE_TRUST_OFFICER, DOES("statement.compromised", DECIDES), "/pending/{}", NULL, NULL,
	NULL, "/pending?done=statement-compromised"},
    {"/pending/certificate", PAGE_TRUST_OFFICER, DOES("cert.accept", "owner=?owner local=?local sha256=?sha256"),
	"/pending", NULL, NULL, NULL, "/pending?done=certificate-accepted"},

    {"/imports/begin", PAGE_TRUST_OFFICER, DOES("import.begin", "content&=?content pinned!=?pinned"),
	"/certificates/import", NULL, NULL, NULL, "/imports"},
    {"/imports/{}/confirm", PAGE_TRUST_OFFICER, DOES("import.confirm", "id={} force!=?force"), "/imports/{}", NULL,
	NULL, NULL, "/imports/{}"},
    {"/imports/{}/cancel", PAGE_TRUST_OFFICER, DOES("import.cancel", "id={}"), "/imports/{}", NULL, NULL, NULL,
	"/imports/{}"},
    {"/proposals/confirm", PAGE_TRUST_OFFICER, DOES("proposal.confirm", "id#=?id"), "/pending", NULL, NULL, NULL,
	"/pending?done=proposal-confirmed"},
    {"/proposals/drop", PAGE_TRUST_OFFICER, DOES("proposal.drop", "id#=?id reason=?reason"), "/pending", NULL, NULL,
	NULL, "/pending?done=proposal-dropped"},
    {"/certificates/import", PAGE_TRUST_OFFICER,
	DOES("cert.import", "owner=?owner content&=?content sha256*=?sha256 pinned!=?pinned force!=?force"),
	"/certificates/import", NULL, &import_preview, NULL,
	"/certificates?owner={?owner}&done=certificates-imported"},
    {"/certificates/remove", PAGE_TRUST_OFFICER, DOES("cert.remove", "owner=?owner sha256=?sha256"), "/certificates",
	NULL, &cert_remove_preview, NULL, "/certificates?done=certificate-removed"},
    {"/anchors/add", PAGE_TRUST_OFFICER,
	DOES("anchor.add",
	    "scope=?scope direction=?direction local=?local content&=?content sha256*=?sha256 force!=?force"),
	"/anchors/add", NULL, &anchor_preview, NULL, "/anchors?done=anchors-added"},
    {"/anchors/remove", PAGE_TRUST_OFFICER, DOES("anchor.remove", "scope=?scope local=?local sha256=?sha256"),
	"/anchors", NULL, &anchor_remove_preview, NULL, "/anchors?done=anchor-removed"},
    {"/bundles/add", PAGE_TRUST_OFFICER,
	DOES("bundle.add", "url=?url scope=?scope direction=?direction local=?local signer&=?signer every#=?every"),
	"/bundles/add", NULL, NULL, NULL, "/bundles?done=bundle-added"},
    {"/bundles/refresh", PAGE_TRUST_OFFICER, DOES("bundle.refresh", "url=?url force!=?force wait!=0"), "/bundles",
	NULL, NULL, NULL, "/bundles/show?url={?url}&done=bundle-refreshed"},
    {"/bundles/remove", PAGE_TRUST_OFFICER, DOES("bundle.remove", "url=?url"), "/bundles", NULL,
	&bundle_remove_preview, NULL, "/bundles?done=bundle-removed"},

    {"/domains/{}/add", PAGE_ADMIN,
	DOES("domain.add", "domain={} mode=?mode algo=?algo days#=?days organisation=?organisation address=?address"),
	"/domains/{}", NULL, NULL, &key_made, NULL},
    {"/domains/{}/pkcs12", PAGE_ADMIN, DOES("pkcs12.open", "content&=?content password=?password"), "/domains/{}",
	NULL, NULL, &p12_opened, NULL},
    {"/domains/{}/import", PAGE_ADMIN, DOES("domain.add", "domain={} opened=?opened force!=?force"), "/domains/{}",
	NULL, NULL, &key_made, NULL},
    {"/domains/{}/install", PAGE_ADMIN, DOES("domain.install", "domain={} content&=?content force!=?force"),
	"/domains/{}", NULL, NULL, NULL, "/domains/{}?done=certificate-installed"},
    {"/domains/{}/rollover", PAGE_ADMIN,
	DOES("domain.rollover", "domain={} keys=?keys csr!=?csr cancel!=?cancel due!=?due"), "/domains/{}", NULL,
	NULL, &key_made, NULL},
    {"/domains/{}/retire", PAGE_ADMIN, DOES("domain.retire", "key=?key force!=?force"), "/domains/{}", NULL,
	&retire_preview, NULL, "/domains/{}?done=key-retired"},

    {"/policy/add", PAGE_TRUST_OFFICER,
	DOES("rule.add", "name=?name sender=?sender recipient=?recipient treatment=?treatment strength=?strength "
			 "exempt=?exempt position#=?position"),
	"/policy/add", NULL, &rule_preview, NULL, "/policy?done=rule-added"},
    {"/policy/edit", PAGE_TRUST_OFFICER,
	DOES("rule.set", "name=?name if_match=?if_match sender=?sender: recipient=?recipient: treatment=?treatment "
			 "strength=?strength "
			 "exempt=?exempt: position#=?position"),
	"/policy/edit", NULL, &rule_edit_preview, NULL, "/policy?done=rule-changed"},
    {"/policy/remove", PAGE_TRUST_OFFICER, DOES("rule.remove", "name=?name if_match=?if_match"), "/policy", NULL,
	&rule_remove_preview, NULL, "/policy?done=rule-removed"},

    {"/users/add", PAGE_ADMIN, DOES("user.add", "name=?name role=?role"), "/users/add", NULL, NULL, NULL,
	"/users/{?name}?done=user-saved"},
    {"/users/{}/role", PAGE_ADMIN, DOES("user.add", "name={} role=?role if_match=?if_match"), "/users/{}", NULL, NULL,
	NULL, "/users/{}?done=user-saved"},
    {"/users/{}/remove", PAGE_ADMIN, DOES("user.remove", "name={}"), "/users/{}", NULL, &user_remove_preview, NULL,
	"/users?done=user-removed"},
    {"/users/{}/sign-out", PAGE_ADMIN, DOES("user.sign-out", "name={}"), "/users/{}", NULL, NULL, NULL,
	"/users/{}?done=user-signed-out"},
    {"/users/{}/session-end", PAGE_ADMIN, DOES("user.session-end", "id=?id"), "/users/{}", NULL, NULL, NULL,
	"/users/{}?done=session-ended"},
    {"/users/{}/token", PAGE_ADMIN, DOES("user.token", "name={} label=?label role=?role days#=?days"), "/users/{}",
	NULL, NULL, &token_made, NULL},
    {"/users/{}/revoke", PAGE_ADMIN, DOES("user.revoke", "id#=?id"), "/users/{}", NULL, NULL, NULL,
	"/users/{}?done=token-revoked"},
};

const struct page *page_admin_at(size_t i)
{
	return i < sizeof pages / sizeof *pages ? &pages[i] : NULL;
}

const struct page_action *page_admin_action_at(size_t i)
{
	return i < sizeof actions / sizeof *actions ? &actions[i] : NULL;
}
