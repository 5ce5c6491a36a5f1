/* The table of commands: to add one, a row here and a function in the cli_<noun>.c it belongs to. Every row is
 * described in docs/man/postern.1. */
#include "admin-ui/cli_commands.h"

#include <string.h>

#include "admin-ui/cli_anchor.h"
#include "admin-ui/cli_backup.h"
#include "admin-ui/cli_bundle.h"
#include "admin-ui/cli_cert.h"
#include "admin-ui/cli_domain.h"
#include "admin-ui/cli_help.h"
#include "admin-ui/cli_lookup.h"
#include "admin-ui/cli_message.h"
#include "admin-ui/cli_partner.h"
#include "admin-ui/cli_queue.h"
#include "admin-ui/cli_recipient.h"
#include "admin-ui/cli_queue_dir.h"
#include "admin-ui/cli_records.h"
#include "admin-ui/cli_report.h"
#include "admin-ui/cli_restore.h"
#include "admin-ui/cli_rollover.h"
#include "admin-ui/cli_rule.h"
#include "admin-ui/cli_statement.h"
#include "admin-ui/cli_status.h"
#include "admin-ui/cli_import.h"
#include "admin-ui/cli_user.h"
#include "admin-ui/cli_proposal.h"

#define MAKE_USAGE                                                                                                   \
	"[--csr | --self-signed | --pkcs12 FILE] [--algo ALGORITHM] [--days N] [--organisation O] [--out DIR] "      \
	"[--password-file FILE] [--force]"
#define MAKE_OPTIONS "algo= csr self-signed pkcs12= password-file= days= organisation= out= force"
#define TREAT_USAGE "[--treatment seal|sign|tls|clear] [--strength require|prefer|never]"

static const struct cli_command commands[] = {
    {"domain add", "NAME " MAKE_USAGE " [--address ADDRESS] [--use sign|decrypt]", MAKE_OPTIONS " address= use=", 1,
	1, cli_domain_add,
	"Makes keys to sign and to open mail for a domain of ours and prints the requests for a CA, or self-signs, "
	"or takes keys from PKCS#12.",
	"domain add hospital.example --organisation Hospital --out /tmp"},
    {"domain install", "NAME FILE [--force]", "force", 2, 2, cli_domain_install,
	"Installs the certificates a CA issued for keys made with domain add or domain tls.",
	"domain install hospital.example answer.p7b"},
    {"domain list", "[NAME] [--out DIR]", "out=", 0, 1, cli_domain_list,
	"Lists our keys and certificates; with a name, everything about them; with --out, writes the certificates in "
	"use "
	"to files, to be sent to a partner.",
	"domain list hospital.example --out /tmp"},
    {"domain show", "NAME [--statement FILE]", "statement=", 1, 1, cli_rollover_show,
	"What a domain says of itself to other gateways, where a change of its keys stands, and which partners hold "
	"the newest; --statement writes the signed statement (DER) to a file.",
	"domain show hospital.example"},
    {"domain rollover", "NAME [--statement-key] [--csr [--out DIR] | --hook COMMAND] [--due] [--cancel]",
	"statement-key csr out= hook= due cancel", 1, 1, cli_rollover_domain,
	"Changes the mail keys of a domain, or its statement key: new ones are announced, take over, and the old "
	"ones "
	"are retired, by itself. --csr prints requests for a CA instead of self-signing, --hook has a command bring "
	"its answers, --due does so only when keys wait for certificates, --cancel gives up what is only announced.",
	"domain rollover hospital.example"},
    {"domain retire", "KEY [--yes] [--force]", "yes force", 1, 1, cli_domain_retire,
	"Ends a key of ours for good: it opens and signs nothing any more, and its file is removed. The one in use "
	"is refused without --force. Look at postern queue list first: mail that waits or is held and is encrypted "
	"to it can no longer be opened.",
	"domain retire hospital.example-decrypt-20251122-1a2b"},
    {"domain tls", "HOSTNAME " MAKE_USAGE, MAKE_OPTIONS, 1, 1, cli_domain_tls,
	"The same for the TLS key of a listener.", "domain tls gw.hospital.example --self-signed"},
    {"dns-records", "NAME", "", 1, 1, cli_records,
	"Prints what a domain of ours publishes in DNS, as lines of a zone file: _smg, CERT, SMIMEA, TLSA, SRV.",
	"dns-records hospital.example"},
    {"partner add", "DOMAIN|ADDRESS " TREAT_USAGE " [--format OPTIONS] [--find OPTIONS] [--group NAME] [--note TEXT]",
	"treatment= strength= note= format= find= group=", 1, 1, cli_partner_add,
	"Lists a partner, or changes what is said about one.",
	"partner add lab.example --treatment seal --strength require"},
    {"partner set", "DOMAIN|ADDRESS " TREAT_USAGE " [--format OPTIONS] [--find OPTIONS] [--group NAME] [--note TEXT]",
	"treatment= strength= note= format= find= group=", 1, 1, cli_partner_set,
	"Changes what is said about a listed partner; --format sets how mail to it is written (\"\": as its reader "
	"says, or the default), --find where its certificate is looked for (\"\": the default).",
	"partner set lab.example --format \"cipher=aes-256-gcm key=oaep-sha256\""},
    {"partner list", "", "", 0, 0, cli_partner_list, "Lists the partners.", "partner list"},
    {"partner show", "DOMAIN|ADDRESS", "", 1, 1, cli_partner_show,
	"Everything about one partner: entry, certificates, anchors.", "partner show lab.example"},
    {"partner remove", "DOMAIN|ADDRESS", "", 1, 1, cli_partner_remove,
	"Removes a partner with its certificates and anchors.", "partner remove lab.example"},
    {"partner release", "DOMAIN", "", 1, 1, cli_partner_release,
	"Ends the protection of a domain that was seen protected: mail to it may leave in the clear again.",
	"partner release lab.example"},
    {"partner statement", "DOMAIN [--local-parts LIST] [--pin FINGERPRINT] [--follow | --no-follow]",
	"local-parts= pin= follow no-follow", 1, 1, cli_statement_set,
	"Sets what counts for a partner's statements: further local parts that its certificates may name, the "
	"statement key or certificate that alone is believed (\"\": none), and whether a pinned key may announce "
	"another.",
	"partner statement lab.example --pin 3f2a90c1... --follow"},
    {"partner fetch", "DOMAIN", "", 1, 1, cli_statement_fetch,
	"Fetches a partner's statement by its URL now, and says what came of it.", "partner fetch lab.example"},
    {"partner compromised", "DOMAIN --channel HOW --reason TEXT [--fingerprint DIGITS]",
	"channel= reason= fingerprint=", 1, 1, cli_statement_decide,
	"A partner's statement key (the present one, or the one with this fingerprint) is in other hands: nothing "
	"signed by it is believed any more.",
	"partner compromised lab.example --channel phone --reason \"Ms Weber called: laptop stolen\""},
    {"pending", "", "", 0, 0, cli_statement_pending,
	"Statements of partners that wait for your decision: what to compare, what spoke for and against each.",
	"pending"},
    {"approve", "DOMAIN --channel HOW --reason TEXT [--fingerprint DIGITS] [--pin [--follow]]",
	"channel= reason= fingerprint= pin follow", 1, 1, cli_statement_decide,
	"Trusts the statement that waits, after its fingerprint was compared over another channel; with --pin, its "
	"key "
	"alone from now on.",
	"approve lab.example --channel phone --reason \"compared with Ms Weber\""},
    {"refuse", "DOMAIN --channel HOW --reason TEXT [--fingerprint DIGITS]", "channel= reason= fingerprint=", 1, 1,
	cli_statement_decide, "Refuses the statement that waits, and its key for good; ends a freeze.",
	"refuse lab.example --channel phone --reason \"not theirs\""},
    {"proposal list", "", "", 0, 0, cli_proposal_list,
	"Changes that wait for a second person (setting two-person): what, by whom, until when.", "proposal list"},
    {"proposal confirm", "NUMBER", "", 1, 1, cli_proposal_confirm,
	"Makes a change that somebody else proposed, after you looked at it yourself.", "proposal confirm 12"},
    {"proposal drop", "NUMBER [--reason TEXT]", "reason=", 1, 1, cli_proposal_drop,
	"A change that waits is not made.", "proposal drop 12 --reason \"not our laboratory\""},
    {"cert import", "FILE --for DOMAIN|ADDRESS [--pin] [--yes] [--force]", "for= pin yes force", 1, 1,
	cli_cert_import,
	"Shows the certificates in a PEM, DER or PKCS#7 file and imports them for a partner after a question.",
	"cert import lab.pem --for lab.example --pin"},
    {"import", "FILE [--pin] [--yes] [--force]", "pin yes force", 1, 1, cli_import,
	"Imports the certificates of many partners out of one PEM, DER or PKCS#7 file, each for whom it names: looks "
	"at "
	"them, asks, and stores them beside the mail.",
	"import partners.p7b --pin"},
    {"cert list", "[DOMAIN|ADDRESS]", "", 0, 1, cli_cert_list,
	"Lists partners' certificates, and those that wait for you.", "cert list lab.example"},
    {"cert accept", "DOMAIN|ADDRESS FINGERPRINT [--local DOMAIN]", "local=", 2, 2, cli_cert_accept,
	"Lets a certificate that was found take the place of one that was believed by a stronger reason; with "
	"--local, "
	"for the mail of one of our domains alone.",
	"cert accept lab.example 3f2a90c177b012e4"},
    {"cert show", "DOMAIN|ADDRESS|FINGERPRINT [--pem]", "pem", 1, 1, cli_lookup_cert,
	"Shows the certificates that are found for an address in all places that count for it, or the one in the "
	"store whose fingerprint begins with these digits, 8 or more; --pem prints them.",
	"cert show bob@lab.example"},
    {"cert remove", "DOMAIN|ADDRESS FINGERPRINT", "", 2, 2, cli_cert_remove,
	"Removes a partner's certificate; 8 digits of the fingerprint suffice.", "cert remove lab.example 3f2a90c1"},
    {"anchor add", "FILE [--scope DOMAIN|@GROUP|*] [--direction in|out|both] [--local DOMAIN] [--yes] [--force]",
	"scope= direction= local= yes force", 1, 1, cli_anchor_add,
	"Believes what a certification authority issues, for one partner, a group of them or all; with --local, for "
	"the mail of one of our domains alone.",
	"anchor add ca.pem --scope lab.example"},
    {"anchor list", "[DOMAIN|@GROUP|*]", "", 0, 1, cli_anchor_list, "Lists the anchors.", "anchor list"},
    {"anchor remove", "DOMAIN|@GROUP|* FINGERPRINT [--local DOMAIN]", "local=", 2, 2, cli_anchor_remove,
	"Removes an anchor.", "anchor remove lab.example 9bd1740e"},
    {"bundle add",
	"URL [--scope DOMAIN|@GROUP|*] [--direction in|out|both] [--local DOMAIN] [--signer FILE] [--every TIME]",
	"scope= direction= local= signer= every=", 1, 1, cli_bundle_add,
	"Believes the anchors of a trust bundle that is published at a URL, and follows its changes; with --signer, "
	"only "
	"those that this certificate signed.",
	"bundle add https://trust.example/bundle.p7m --scope @labs --signer publisher.pem --every 24h"},
    {"bundle list", "", "", 0, 0, cli_bundle_list, "Lists the trust bundles.", "bundle list"},
    {"bundle show", "URL", "", 1, 1, cli_bundle_show, "One bundle: its last change, its anchors.",
	"bundle show https://trust.example/bundle.p7m"},
    {"bundle refresh", "URL [--force]", "force", 1, 1, cli_bundle_refresh,
	"Fetches a bundle now; --force takes an edition that leaves out more anchors than bundle-drop-max allows.",
	"bundle refresh https://trust.example/bundle.p7m"},
    {"bundle remove", "URL", "", 1, 1, cli_bundle_remove, "Removes a bundle with its anchors.",
	"bundle remove https://trust.example/bundle.p7m"},
    {"rule add",
	"NAME [--sender PATTERN] [--recipient PATTERN] " TREAT_USAGE " [--exempt calendar,auto-reply] [--position N]",
	"sender= recipient= treatment= strength= exempt= position=", 1, 1, cli_rule_add,
	"Adds a rule by sender and recipient; the first that fits decides.",
	"rule add press --sender press@hospital.example --treatment sign --strength prefer"},
    {"rule set",
	"NAME [--sender PATTERN] [--recipient PATTERN] " TREAT_USAGE " [--exempt calendar,auto-reply] [--position N]",
	"sender= recipient= treatment= strength= exempt= position=", 1, 1, cli_rule_set,
	"Changes what is given of a rule; the rest of it, and its place unless --position says another, stay.",
	"rule set press --strength require"},
    {"rule list", "", "", 0, 0, cli_rule_list, "Lists the rules in their order.", "rule list"},
    {"rule remove", "NAME", "", 1, 1, cli_rule_remove, "Removes a rule.", "rule remove press"},
    {"queue list", "[--state queued|active|held|done] [--match TEXT] [--max N]", "state= match= max=", 0, 0,
	cli_queue_list, "Lists mail, newest first.", "queue list --state held"},
    {"queue show", "ID", "", 1, 1, cli_queue_show, "Everything about one message but its content.",
	"queue show 0KX3M9QZ41"},
    {"queue hold", "ID... [--address ADDRESS] [--reason TEXT]", "address= reason=", 1, CLI_ARGS_WORDS_MAX,
	cli_queue_change, "Holds mail that waits for delivery; what is held then waits for you alone.",
	"queue hold 0KX3M9QZ41 --reason \"asked by the sender\""},
    {"queue release", "ID... [--address ADDRESS] [--reason TEXT]", "address= reason=", 1, CLI_ARGS_WORDS_MAX,
	cli_queue_change, "Delivers held mail now.", "queue release 0KX3M9QZ41"},
    {"queue retry", "ID... [--address ADDRESS] [--reason TEXT]", "address= reason=", 1, CLI_ARGS_WORDS_MAX,
	cli_queue_change,
	"Tries waiting mail now instead of later; held mail that waits for something is judged again.",
	"queue retry 0KX3M9QZ41"},
    {"queue check", "[DIR] [--data DATADIR]", "data=", 0, 1, cli_queue_check,
	"Looks whether the queue's database and files are whole, beside a running gateway or without one.",
	"queue check"},
    {"queue adopt", "DIR [--data DATADIR]", "data=", 1, 1, cli_queue_adopt,
	"Takes over the queue directory of a dead node while no gateway runs.", "queue adopt /mnt/old/queue"},
    {"queue delete", "ID... [--address ADDRESS] [--reason TEXT]", "address= reason=", 1, CLI_ARGS_WORDS_MAX,
	cli_queue_change, "Deletes waiting or held mail; nobody is told.",
	"queue delete 0KX3M9QZ41 --address bob@lab.example"},
    {"message find",
	"[--from ADDRESS|DOMAIN] [--to ADDRESS|DOMAIN] [--id ID] [--message-id ID] [--since TIME] [--until TIME] "
	"[--outcome OUTCOME] [--direction in|out|notice] [--limit N]",
	"from= to= id= message-id= since= until= outcome= direction= limit=", 0, 0, cli_message_find,
	"Finds what came and went, newest first, also what was refused. OUTCOME: queued, deferred, held, delivered, "
	"refused, bounced, expired, deleted, or sealed, signed, tls, clear, opened. Each search stands in the audit "
	"log.",
	"message find --to bob@lab.example --since 2d"},
    {"message show", "ID", "", 1, 1, cli_message_show,
	"What became of one message: its way with every decision, certificate and reply; never its content.",
	"message show 0KX3M9QZ41"},
    {"message counts", "", "", 0, 0, cli_message_counts,
	"How many recipients' mail came, went, was sealed, opened, sent in the clear, refused and held in each of "
	"the "
	"last 24 hours.",
	"message counts"},
    {"recipient check", "ADDRESS [--fresh]", "fresh", 1, 1, cli_recipient_check,
	"Whether mail from outside for an address of ours is taken: who knows, what was said, what a client is told. "
	"--fresh asks anew.",
	"recipient check anna@hospital.example"},
    {"lookup", "DOMAIN|ADDRESS --source dns|smimea|smg|ldap|http|store [--pem]", "source= pem", 1, 1, cli_lookup,
	"Looks for certificates in one place alone and shows each step.", "lookup bob@lab.example --source ldap"},
    {"explain",
	"[SENDER] RECIPIENT [--reply] [--with-rule NAME [--sender PATTERN] [--recipient PATTERN] " TREAT_USAGE
	" [--exempt WORDS] [--position N]] [--without-rule NAME] | [--with-partner DOMAIN|ADDRESS " TREAT_USAGE
	" [--format OPTIONS] [--find OPTIONS] [--group NAME]] [--without-partner DOMAIN|ADDRESS]",
	"reply with-rule= without-rule= with-partner= without-partner= sender= recipient= treatment= strength= "
	"exempt= "
	"position= format= find= group=",
	1, 2, cli_report_explain,
	"What would happen to mail from one address (the postmaster's, if none is given) to another, and why: where "
	"a "
	"certificate was looked for, what was answered, what spoke for or against each. With an edit (--with-rule, "
	"--without-rule, --with-partner, --without-partner): as it is and as it would be; nothing is changed.",
	"explain alice@hospital.example bob@lab.example --without-rule press"},
    {"trace", "[ID]", "", 0, 1, cli_report_trace,
	"What was done for a recipient that was refused or put off: the steps, as explain shows them, under the id "
	"that the refusal and the log have; without one, which traces are kept.",
	"trace 5f0c31a7"},
    {"status", "", "", 0, 0, cli_status, "Whether everything runs, what waits, what expires.", "status"},
    {"user add", "NAME --role viewer|operator|trust-officer|admin", "role=", 1, 1, cli_user_add,
	"Names somebody, or a program, that may ask over HTTP (section web); or changes the role of one.",
	"user add prometheus --role viewer"},
    {"user list", "", "", 0, 0, cli_user_list, "Lists the users and their tokens.", "user list"},
    {"user remove", "NAME", "", 1, 1, cli_user_remove, "Removes a user; none of its tokens counts any more.",
	"user remove prometheus"},
    {"user password", "NAME [--password-file FILE]", "password-file=", 1, 1, cli_user_password,
	"Sets the password that a user signs in to the web UI with; asks for it, or takes the first line of FILE. "
	"Sessions of the user end.",
	"user password anna"},
    {"user totp", "NAME [--off]", "off", 1, 1, cli_user_totp,
	"Makes a secret for one-time codes (TOTP), which the user needs to sign in from then on; --off: none.",
	"user totp anna"},
    {"user sign-out", "NAME", "", 1, 1, cli_user_sign_out, "Ends the sessions of a user.", "user sign-out anna"},
    {"user sessions", "[NAME]", "", 0, 1, cli_user_sessions,
	"Who is signed in to the web UI: since when, last used, from where.", "user sessions anna"},
    {"user session-end", "SESSION", "", 1, 1, cli_user_session_end,
	"Ends one session, by the name that user sessions shows.", "user session-end 3f2a90c1d4e5b687"},
    {"user token", "NAME --label TEXT [--role ROLE] [--days N]", "label= role= days=", 1, 1, cli_user_token,
	"Makes a token and prints it this once; it may what its role may (viewer, if none is given), never more than "
	"its user, for 90 days or N.",
	"user token prometheus --label metrics --days 365"},
    {"user revoke", "TOKEN", "", 1, 1, cli_user_revoke, "Ends a token, by its number in user list.", "user revoke 3"},
    {"audit list", "[--of DOMAIN|ADDRESS] [--max N] [--before ROW]", "of= max= before=", 0, 0, cli_report_audit_list,
	"Who changed what, newest first; --of: what concerns one partner.", "audit list --of lab.example --max 20"},
    {"audit verify", "[--head HASH]", "head=", 0, 0, cli_report_audit_verify,
	"Checks the chain of the audit log; with --head, that the head which the system log has is part of it.",
	"audit verify"},
    {"backup", "DIR", "", 1, 1, cli_backup, "Saves the store and the sealed keys into a new directory.",
	"backup /var/backups/postern-20261122"},
    {"restore", "DIR [--data DATADIR] [--force]", "data= force", 1, 1, cli_restore,
	"Puts a backup in place while the gateway does not run.", "restore /var/backups/postern-20261122"},
    {"help", "[COMMAND...]", "", 0, 2, cli_help, "Lists the commands, or explains one.", "help domain add"},
};

const struct cli_command *cli_commands_at(size_t i)
{
	return i < sizeof commands / sizeof *commands ? &commands[i] : NULL;
}

/* How many words the name has when the words begin with it, else 0. */
static int matches(const char *name, int nwords, char *const *words)
{
	int used = 0;

	while (*name) {
		size_t n = strcspn(name, " ");

		if (used == nwords || strlen(words[used]) != n || strncmp(words[used], name, n) != 0)
			return 0;
		used++;
		name += n + strspn(name + n, " ");
	}
	return used;
}

const struct cli_command *cli_commands_find(int nwords, char *const *words, int *used_r)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		*used_r = matches(commands[i].name, nwords, words);
		if (*used_r > 0)
			return &commands[i];
	}
	return NULL;
}
