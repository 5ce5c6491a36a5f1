/* One line a file, by its name. The Makefile builds this again when one of them changes. */
#include "admin-ui/page/page_files.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define HTML "text/html; charset=utf-8"
#define FILES(X)                                                                                                     \
	X(answer, "html/answer.html", HTML)                                                                          \
	X(compare, "html/compare.html", HTML)                                                                        \
	X(message_changed, "html/message_changed.html", HTML)                                                        \
	X(badge, "html/badge.html", HTML)                                                                            \
	X(error, "html/error.html", HTML)                                                                            \
	X(expiring, "html/expiring.html", HTML)                                                                      \
	X(foot, "html/foot.html", HTML)                                                                              \
	X(head, "html/head.html", HTML)                                                                              \
	X(held, "html/held.html", HTML)                                                                              \
	X(hours, "html/hours.html", HTML)                                                                            \
	X(icon, "html/icon.html", HTML)                                                                              \
	X(life, "html/life.html", HTML)                                                                              \
	X(login, "html/login.html", HTML)                                                                            \
	X(message, "html/message.html", HTML)                                                                        \
	X(message_change, "html/message_change.html", HTML)                                                          \
	X(message_rows, "html/message_rows.html", HTML)                                                              \
	X(messages, "html/messages.html", HTML)                                                                      \
	X(overview, "html/overview.html", HTML)                                                                      \
	X(partner, "html/partner.html", HTML)                                                                        \
	X(partner_change, "html/partner_change.html", HTML)                                                          \
	X(partner_edit, "html/partner_edit.html", HTML)                                                              \
	X(partner_history, "html/partner_history.html", HTML)                                                        \
	X(history_rows, "html/history_rows.html", HTML)                                                              \
	X(partner_lookup, "html/partner_lookup.html", HTML)                                                          \
	X(partner_release, "html/partner_release.html", HTML)                                                        \
	X(partner_remove, "html/partner_remove.html", HTML)                                                          \
	X(partner_try, "html/partner_try.html", HTML)                                                                \
	X(partners, "html/partners.html", HTML)                                                                      \
	X(todo, "html/todo.html", HTML)                                                                              \
	X(when, "html/when.html", HTML)                                                                              \
	X(anchor_add, "html/anchor_add.html", HTML)                                                                  \
	X(anchor_preview, "html/anchor_preview.html", HTML)                                                          \
	X(anchor_remove, "html/anchor_remove.html", HTML)                                                            \
	X(anchors, "html/anchors.html", HTML)                                                                        \
	X(audit, "html/audit.html", HTML)                                                                            \
	X(bundle, "html/bundle.html", HTML)                                                                          \
	X(bundle_add, "html/bundle_add.html", HTML)                                                                  \
	X(bundle_remove, "html/bundle_remove.html", HTML)                                                            \
	X(bundles, "html/bundles.html", HTML)                                                                        \
	X(certificate, "html/certificate.html", HTML)                                                                \
	X(certificate_facts, "html/certificate_facts.html", HTML)                                                    \
	X(domain_opened, "html/domain_opened.html", HTML)                                                            \
	X(import, "html/import.html", HTML)                                                                          \
	X(import_progress, "html/import_progress.html", HTML)                                                        \
	X(imports, "html/imports.html", HTML)                                                                        \
	X(certificate_import, "html/certificate_import.html", HTML)                                                  \
	X(certificate_preview, "html/certificate_preview.html", HTML)                                                \
	X(certificate_remove, "html/certificate_remove.html", HTML)                                                  \
	X(certificates, "html/certificates.html", HTML)                                                              \
	X(domain, "html/domain.html", HTML)                                                                          \
	X(domain_made, "html/domain_made.html", HTML)                                                                \
	X(domain_retire, "html/domain_retire.html", HTML)                                                            \
	X(domains, "html/domains.html", HTML)                                                                        \
	X(pending, "html/pending.html", HTML)                                                                        \
	X(pending_one, "html/pending_one.html", HTML)                                                                \
	X(policy, "html/policy.html", HTML)                                                                          \
	X(policy_edit, "html/policy_edit.html", HTML)                                                                \
	X(policy_fields, "html/policy_fields.html", HTML)                                                            \
	X(policy_add, "html/policy_add.html", HTML)                                                                  \
	X(policy_preview, "html/policy_preview.html", HTML)                                                          \
	X(policy_remove, "html/policy_remove.html", HTML)                                                            \
	X(settings, "html/settings.html", HTML)                                                                      \
	X(tabs, "html/tabs.html", HTML)                                                                              \
	X(user, "html/user.html", HTML)                                                                              \
	X(user_add, "html/user_add.html", HTML)                                                                      \
	X(user_remove, "html/user_remove.html", HTML)                                                                \
	X(user_token, "html/user_token.html", HTML)                                                                  \
	X(users, "html/users.html", HTML)                                                                            \
	X(app_css, "static/app.css", "text/css; charset=utf-8")                                                      \
	X(app_js, "static/app.js", "text/javascript; charset=utf-8")                                                 \
	X(icon_svg, "static/icon.svg", "image/svg+xml")

/* the octets, with a label at each end */
#define INCLUDE(id, path, type)                                                                                      \
	__asm__(".pushsection .rodata\n"                                                                             \
		"page_file_" #id ":\n"                                                                               \
		".incbin \"admin-ui/page/" path "\"\n"                                                               \
		"page_file_" #id "_end:\n"                                                                           \
		".byte 0\n"                                                                                          \
		".popsection\n");                                                                                    \
	extern const char page_file_##id[], page_file_##id##_end[];

FILES(INCLUDE)

struct entry {
	const char *path, *type, *text, *end;
};
#define ENTRY(id, path, type) {path, type, page_file_##id, page_file_##id##_end},
static const struct entry files[] = {FILES(ENTRY)};

static const struct entry *find(const char *folder, const char *name)
{
	size_t n = strlen(folder);

	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (strncmp(files[i].path, folder, n) == 0 && strcmp(files[i].path + n, name) == 0)
			return &files[i];
	return NULL;
}

const char *page_files_template(const char *name, size_t *n_r)
{
	const struct entry *e = find("html/", name);

	if (!e)
		return NULL;
	*n_r = (size_t)(e->end - e->text);
	return e->text;
}

const char *page_files_template_at(size_t i)
{
	for (size_t k = 0; k < sizeof files / sizeof *files; k++)
		if (strncmp(files[k].path, "html/", 5) == 0 && i-- == 0)
			return files[k].path + 5;
	return NULL;
}

/* FNV-1a: it only tells one edition from another. */
static uint64_t edition(const struct entry *e)
{
	uint64_t h = 14695981039346656037u;

	for (const char *p = e->text; p < e->end; p++)
		h = (h ^ (uint8_t)*p) * 1099511628211u;
	return h;
}

const struct page_file *page_files_static(const char *name)
{
	static struct page_file f;
	const struct entry *e = find("static/", name);

	if (!e)
		return NULL;
	f = (struct page_file){e->path + 7, e->type, e->text, (size_t)(e->end - e->text), ""};
	(void)snprintf(f.etag, sizeof f.etag, "\"%016" PRIx64 "\"", edition(e));
	return &f;
}
