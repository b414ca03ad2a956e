/* The table of all options. Reading, checking and the reference page go by it. */
#include "gateway/config/config.h"

#define AT(type, member) offsetof(struct config_##type, member)

static const char *const protocols[] = { "mllp", "fhir", NULL };
static const char *const modes[] = { "enforce", "shadow", "observe", NULL };
static const char *const payloads[] = { "by-kind", "full", "digest", NULL };
static const char *const parks[] = { "wait", "skip", NULL };
static const char *const validates[] = { "off", "warn", "reject", NULL };
static const char *const acks[] = { "original", "enhanced", NULL };
static const char *const auths[] = { "none", "pass", "bearer", NULL };
static const char *const tls_versions[] = { "1.2", "1.3", NULL };
static const char *const versions[] = { "2.1",   "2.2", "2.3", "2.3.1", "2.4", "2.5",
                                        "2.5.1", "2.6", "2.7", "2.7.1", NULL };
static const char *const levels[] = { "debug", "info", "warn", "error", NULL };

static const struct config_option tls_options[] = {
    { "certificate", CONFIG_PATH, AT(tls, certificate), .help = "own certificate chain, PEM" },
    { "key", CONFIG_SECRET, AT(tls, key), .help = "its private key, PEM" },
    { "clients", CONFIG_PATH, AT(tls, clients),
      .help = "authorities that the other side's certificate must come from, PEM" },
    { "require_client", CONFIG_BOOL, AT(tls, require_client), .fallback = "false",
      .help = "refuse a client without certificate" },
    { "least", CONFIG_CHOICE, AT(tls, least), .fallback = "1.2", .choices = tls_versions,
      .help = "lowest TLS version" },
    { 0 },
};

static const struct config_option sender_options[] = {
    { "certificate", CONFIG_PATH, AT(sender, certificate),
      .help = "client certificate that identifies the sender, PEM" },
    { "address", CONFIG_STRING, AT(sender, address),
      .help = "numeric address or ADDRESS/BITS that identifies the sender" },
    { "organization", CONFIG_STRING, AT(sender, organization), CONFIG_REQUIRED,
      .help = "URI of the organisation that sends" },
    { "zone", CONFIG_STRING, AT(sender, zone),
      .help =
          "IANA zone of times that carry no offset; without it such times lose their hour" },
    { "charset", CONFIG_STRING, AT(sender, charset), .fallback = "UNICODE UTF-8",
      .help = "character set where MSH-18 is empty" },
    { "ack", CONFIG_CHOICE, AT(sender, ack), .fallback = "original", .choices = acks,
      .help =
          "original: one answer to each message; enhanced: what MSH-15 and MSH-16 ask for" },
    { "assigners", CONFIG_PAIRS, AT(sender, assigners),
      .help = "assigning authority of PID-3.4 to the URI of its system" },
    { "maps", CONFIG_PATHS, AT(sender, maps),
      .help = "map files of this sender, after the listener's" },
    { "options", CONFIG_STRINGS, AT(sender, options),
      .help = "options of the maps for its messages, such as MessageHeader" },
    { 0 },
};

static const struct config_option role_options[] = {
    { "read", CONFIG_STRINGS, AT(roles, read),
      .help = "for reading one resource; each is SYSTEM#CODE, or CODE of no system" },
    { "search", CONFIG_STRINGS, AT(roles, search), .help = "for searching" },
    { "write", CONFIG_STRINGS, AT(roles, write),
      .help = "for creating, updating and deleting" },
    { "consent", CONFIG_STRINGS, AT(roles, consent),
      .help = "for filing, granting and revoking consents" },
    { "break_glass", CONFIG_STRINGS, AT(roles, break_glass),
      .help = "for breaking the glass; left out: nobody may" },
    { "explain", CONFIG_STRINGS, AT(roles, explain),
      .help = "for asking why something was refused; left out: nobody may" },
    { "attest", CONFIG_STRINGS, AT(roles, attest),
      .help = "for taking a consent back on a patient's word; left out: nobody may" },
    { 0 },
};

static const struct config_option issuer_options[] = {
    { "issuer", CONFIG_STRING, AT(issuer, issuer), CONFIG_REQUIRED,
      .help = "exact value of the token's iss" },
    { "audience", CONFIG_STRING, AT(issuer, audience), CONFIG_REQUIRED,
      .help = "value that the token's aud must contain" },
    { "jwks_file", CONFIG_PATH, AT(issuer, jwks_file), .help = "key set as a file" },
    { "jwks_url", CONFIG_STRING, AT(issuer, jwks_url), .help = "key set as a URL" },
    { "tls", CONFIG_SECTION, AT(issuer, tls), .options = tls_options,
      .size = sizeof(struct config_tls),
      .help = "TLS towards jwks_url; certificate and key for client authentication" },
    { "organization", CONFIG_STRING, AT(issuer, organization),
      .help = "URI of the organisation of users whose token names none" },
    { "roles", CONFIG_SECTION, AT(issuer, roles), .options = role_options,
      .size = sizeof(struct config_roles),
      .help = "roles of which its tokens must bear one; a class left out asks for none" },
    { 0 },
};

static const struct config_option did_web_options[] = {
    { "host", CONFIG_STRING, AT(did_web, host), CONFIG_REQUIRED,
      .help = "HOST or HOST:PORT of its HTTPS server" },
    { "tls", CONFIG_SECTION, AT(did_web, tls), .options = tls_options,
      .size = sizeof(struct config_tls), .help = "TLS towards it" },
    { 0 },
};

static const struct config_option login_options[] = {
    { "origins", CONFIG_STRINGS, AT(login, origins), CONFIG_REQUIRED,
      .help = "origins of the pages where patients log in, such as https://portal.example" },
    { "rp_id", CONFIG_STRING, AT(login, rp_id),
      .help =
          "domain that passkeys are made for: that of the origins, or one above; without it "
          "there are none" },
    { "contract_accounts", CONFIG_BOOL, AT(login, contract_accounts), .fallback = "false",
      .help = "whether accounts that are contracts log in (ERC-1271): the ledger's endpoints "
              "are asked" },
    { "did_web", CONFIG_LIST, AT(login, did_web), .options = did_web_options,
      .size = sizeof(struct config_did_web),
      .help = "hosts whose did:web documents are read; no other host is asked" },
    { "challenge", CONFIG_DURATION, AT(login, challenge), .fallback = "5m", .least = 1000,
      .most = 3600000, .help = "how long a challenge may be answered" },
    { "token", CONFIG_DURATION, AT(login, token), .fallback = "10m", .least = 1000,
      .most = 3600000, .help = "how long a patient's token is good" },
    { 0 },
};

static const struct config_option listener_options[] = {
    { "protocol", CONFIG_CHOICE, AT(listener, protocol), CONFIG_REQUIRED, .choices = protocols,
      .help = "mllp for HL7 v2, fhir for the FHIR REST API" },
    { "address", CONFIG_STRING, AT(listener, address), CONFIG_REQUIRED,
      .help = "numeric address and port to listen on" },
    { "base", CONFIG_STRING, AT(listener, base), .help = "FHIR base URL as clients see it" },
    { "tls", CONFIG_SECTION, AT(listener, tls), .options = tls_options,
      .size = sizeof(struct config_tls), .help = "TLS; without it the port is plain" },
    { "senders", CONFIG_LIST, AT(listener, senders), .options = sender_options,
      .size = sizeof(struct config_sender), .help = "who may send v2 messages" },
    { "issuers", CONFIG_LIST, AT(listener, issuers), .options = issuer_options,
      .size = sizeof(struct config_issuer), .help = "whose tokens are accepted" },
    { "login", CONFIG_SECTION, AT(listener, login), .options = login_options,
      .size = sizeof(struct config_login),
      .help = "patients log in here, with keys of their own; without it nobody does" },
    { "maps", CONFIG_PATHS, AT(listener, maps),
      .help = "map files that change how its messages become FHIR, in order" },
    { "connections", CONFIG_INTEGER, AT(listener, connections), .fallback = "1024", .least = 1,
      .most = 65536, .help = "open connections for each worker" },
    { 0 },
};

static const struct config_option destination_auth_options[] = {
    { "kind", CONFIG_CHOICE, AT(destination_auth, kind), CONFIG_REQUIRED, .choices = auths,
      .help =
          "none; pass the client's Authorization on; or a bearer token of the gateway's own" },
    { "token_file", CONFIG_SECRET, AT(destination_auth, token_file),
      .help = "the bearer token" },
    { 0 },
};

static const struct config_option receiver_options[] = {
    { "event", CONFIG_STRING, AT(receiver, event),
      .help =
          "the one message it takes, such as ORU^R01; without it what the maps make of it" },
    { "version", CONFIG_CHOICE, AT(receiver, version), .fallback = "2.5.1", .choices = versions,
      .help = "what it reads: what this one hasn't got is left out" },
    { "beyond", CONFIG_BOOL, AT(receiver, beyond), .fallback = "false",
      .help = "whether fields of later versions are written all the same" },
    { "charset", CONFIG_STRING, AT(receiver, charset),
      .help = "character set, a name of table 0211; without it UTF-8, and MSH-18 is silent" },
    { "assigners", CONFIG_PAIRS, AT(receiver, assigners),
      .help = "its name of an assigning authority to the URI of its system" },
    { 0 },
};

static const struct config_option destination_options[] = {
    { "protocol", CONFIG_CHOICE, AT(destination, protocol), CONFIG_REQUIRED,
      .choices = protocols, .help = "mllp or fhir" },
    { "url", CONFIG_STRING, AT(destination, url), .help = "FHIR base URL of the server" },
    { "address", CONFIG_STRING, AT(destination, address),
      .help = "host:port of the v2 receiver" },
    { "organization", CONFIG_STRING, AT(destination, organization), CONFIG_REQUIRED,
      .help = "URI of the organisation that receives; consent is decided for it" },
    { "tls", CONFIG_SECTION, AT(destination, tls), .options = tls_options,
      .size = sizeof(struct config_tls),
      .help = "TLS; certificate and key for client authentication" },
    { "auth", CONFIG_SECTION, AT(destination, auth), .options = destination_auth_options,
      .size = sizeof(struct config_destination_auth), .help = "credentials towards it" },
    { "receiver", CONFIG_SECTION, AT(destination, receiver), .options = receiver_options,
      .size = sizeof(struct config_receiver),
      .help = "how messages made of FHIR are written for a v2 receiver" },
    { "connections", CONFIG_INTEGER, AT(destination, connections), .fallback = "32", .least = 1,
      .most = 4096, .help = "pooled connections for each worker" },
    { "timeout", CONFIG_DURATION, AT(destination, timeout), .fallback = "30s", .least = 100,
      .most = 600000, .help = "longest wait for an answer" },
    { "retry_least", CONFIG_DURATION, AT(destination, retry_least), .fallback = "1s",
      .least = 50, .most = 3600000, .help = "first pause before a delivery is tried again" },
    { "retry_most", CONFIG_DURATION, AT(destination, retry_most), .fallback = "1m", .least = 50,
      .most = 86400000, .help = "longest pause between two tries" },
    { 0 },
};

static const struct config_option when_options[] = {
    { "message", CONFIG_STRING, AT(when, message),
      .help = "message type and event, such as ORU^R01 or ADT^*" },
    { 0 },
};

static const struct config_option route_options[] = {
    { "from", CONFIG_STRING, AT(route, from), CONFIG_REQUIRED, .help = "name of a listener" },
    { "when", CONFIG_SECTION, AT(route, when), .options = when_options,
      .size = sizeof(struct config_when), .help = "which messages; without it all" },
    { "to", CONFIG_STRINGS, AT(route, to), CONFIG_REQUIRED, .help = "names of destinations" },
    { "maps", CONFIG_PATHS, AT(route, maps),
      .help = "map files of this route, after the sender's" },
    { "options", CONFIG_STRINGS, AT(route, options),
      .help = "options of the maps for what is delivered, besides the sender's" },
    { "purpose", CONFIG_STRING, AT(route, purpose),
      .help = "purpose of use of v2 messages, a code of v3 PurposeOfUse" },
    { "mode", CONFIG_CHOICE, AT(route, mode), .fallback = "enforce", .choices = modes,
      .help = "shadow decides and records without blocking, observe records only" },
    { "payload", CONFIG_CHOICE, AT(route, payload), .fallback = "by-kind", .choices = payloads,
      .help = "what the archive keeps; by-kind: v2 and writes in full, reads as a digest" },
    { "on_park", CONFIG_CHOICE, AT(route, on_park), .fallback = "wait", .choices = parks,
      .help = "whether a patient's later messages wait behind one that can't be delivered" },
    { "validate", CONFIG_CHOICE, AT(route, validate), .fallback = "off", .choices = validates,
      .help =
          "what becomes of messages that don't translate to valid FHIR, and of writes: warn "
          "counts them, reject refuses them" },
    { "profiles", CONFIG_STRINGS, AT(route, profiles),
      .help = "canonical URLs that resources of their types must conform to besides" },
    { 0 },
};

static const struct config_option account_options[] = {
    { "keystore", CONFIG_SECRET, AT(account, keystore),
      .help = "Ethereum keystore file, version 3" },
    { "password", CONFIG_SECRET, AT(account, password), .help = "file with its password" },
    { "signer", CONFIG_STRING, AT(account, signer),
      .help = "URL of a signer that has the key instead: eth_signTransaction, as Web3Signer" },
    { "address", CONFIG_STRING, AT(account, address),
      .help = "the account's address; with signer" },
    { 0 },
};

static const struct config_option ledger_options[] = {
    { "endpoints", CONFIG_STRINGS, AT(ledger, endpoints), CONFIG_REQUIRED,
      .help = "JSON-RPC URLs of Ethereum nodes" },
    { "chain_id", CONFIG_INTEGER, AT(ledger, chain_id), CONFIG_REQUIRED, .least = 1,
      .most = INT64_MAX, .help = "the chain; a node of another one is refused" },
    { "consent", CONFIG_STRING, AT(ledger, consent), CONFIG_REQUIRED,
      .help = "address of ConsentRegistry" },
    { "anchor", CONFIG_STRING, AT(ledger, anchor), CONFIG_REQUIRED,
      .help = "address of AuditAnchor" },
    { "deployed_block", CONFIG_INTEGER, AT(ledger, deployed_block), .fallback = "0", .least = 0,
      .most = INT64_MAX, .help = "block to follow events from" },
    { "max_staleness", CONFIG_DURATION, AT(ledger, max_staleness), .fallback = "15m",
      .least = 1000, .most = 86400000,
      .help = "how old the view of the ledger may be before everything closes" },
    { "poll", CONFIG_DURATION, AT(ledger, poll), .fallback = "1s", .least = 50, .most = 60000,
      .help = "pause between two looks at the chain" },
    { "confirmations", CONFIG_INTEGER, AT(ledger, confirmations), .fallback = "0", .least = 0,
      .most = 1000, .help = "blocks until a grant counts; 0: the chain's safe block" },
    { "anchor_every", CONFIG_DURATION, AT(ledger, anchor_every), .fallback = "10m",
      .least = 1000, .most = 86400000, .help = "longest time until new records are anchored" },
    { "anchor_leaves", CONFIG_INTEGER, AT(ledger, anchor_leaves), .fallback = "10000",
      .least = 1, .most = INT64_MAX, .help = "new records that are anchored at once" },
    { "relayer", CONFIG_SECTION, AT(ledger, relayer), .options = account_options,
      .size = sizeof(struct config_account), .help = "account that relays consents" },
    { "anchoring", CONFIG_SECTION, AT(ledger, anchoring), .options = account_options,
      .size = sizeof(struct config_account), .help = "account that anchors the log" },
    { 0 },
};

static const struct config_option database_options[] = {
    { "url_file", CONFIG_SECRET, AT(database, url_file), CONFIG_REQUIRED,
      .help = "file with the PostgreSQL connection URL" },
    { 0 },
};

static const struct config_option key_options[] = {
    { "root", CONFIG_SECRET, AT(keys, root), CONFIG_REQUIRED,
      .help = "file with the root key, 64 hexadecimal digits; chartseal keys init makes one" },
    { "checkpoint", CONFIG_SECRET, AT(keys, checkpoint), CONFIG_REQUIRED,
      .help = "file with the Ed25519 seed that signs checkpoints, 64 hexadecimal digits" },
    { 0 },
};

static const struct config_option admin_options[] = {
    { "address", CONFIG_STRING, AT(admin, address), CONFIG_REQUIRED,
      .help = "numeric address and port of health and metrics; keep it off the data network" },
    { 0 },
};

static const struct config_option consent_options[] = {
    { "lease", CONFIG_DURATION, AT(consent, lease), .fallback = "1s", .least = 100,
      .most = 60000,
      .help = "how long a worker may release without having confirmed the consent epoch" },
    { "directory", CONFIG_STRING, AT(consent, directory),
      .help = "FHIR destination that knows organizations, roles, care teams and groups; left "
              "out: an actor is what its token says" },
    { "directory_age", CONFIG_DURATION, AT(consent, directory_age), .fallback = "30s",
      .least = 1000, .most = 600000, .help = "how long what it said is believed" },
    { "policy", CONFIG_PATH, AT(consent, policy),
      .help = "the tenant's policy: legal rules, how consents are combined, what holds without "
              "any; signed in the file of that name with .sig at the end" },
    { "policy_key", CONFIG_PATH, AT(consent, policy_key),
      .help = "Ed25519 public key of who signs it, PEM" },
    { 0 },
};

static const struct config_option break_glass_options[] = {
    { "reasons", CONFIG_STRINGS, AT(break_glass, reasons), CONFIG_REQUIRED,
      .help = "words of which who breaks the glass names one" },
    { "notify", CONFIG_STRING, AT(break_glass, notify), CONFIG_REQUIRED,
      .help = "FHIR destination where privacy officer and patient are told, by Communication" },
    { "lasts", CONFIG_DURATION, AT(break_glass, lasts), .fallback = "4h", .least = 1000,
      .most = 86400000, .help = "how long it is broken, for one user and one patient" },
    { "login", CONFIG_DURATION, AT(break_glass, login), .fallback = "5m", .least = 1000,
      .most = 86400000, .help = "how old the user's login (auth_time) may be" },
    { "review_within", CONFIG_DURATION, AT(break_glass, review_within), .fallback = "3d",
      .least = 1000, .most = 7776000000,
      .help = "after that an outstanding review is overdue" },
    { "patient_after", CONFIG_DURATION, AT(break_glass, patient_after), .fallback = "1d",
      .least = 0, .most = 7776000000, .help = "when the patient is told" },
    { 0 },
};

static const struct config_option labeller_options[] = {
    { "shipped", CONFIG_BOOL, AT(labeller, shipped), .fallback = "true",
      .help = "whether the program's own value sets count" },
    { "value_sets", CONFIG_PATHS, AT(labeller, value_sets),
      .help = "files with a FHIR ValueSet each, whose focus names its labels" },
    { 0 },
};

static const struct config_option log_options[] = {
    { "origin", CONFIG_STRING, AT(log, origin), CONFIG_REQUIRED,
      .help = "name of the transparency log in its checkpoints, such as log.example/access" },
    { "level", CONFIG_CHOICE, AT(log, level), .fallback = "info", .choices = levels,
      .help = "least level of log lines" },
    { 0 },
};

#define ROOT(member) offsetof(struct config, member)

const struct config_option config_options[] = {
    { "tenant", CONFIG_STRING, ROOT(tenant), CONFIG_REQUIRED,
      .help = "the data controller's name; one database serves one tenant" },
    { "gateway", CONFIG_STRING, ROOT(gateway), .fallback = "gateway",
      .help = "name of this installation in records" },
    { "workers", CONFIG_INTEGER, ROOT(workers), .fallback = "0", .least = 0, .most = 256,
      .help = "gateway workers; 0: one for each core" },
    { "drain_timeout", CONFIG_DURATION, ROOT(drain_timeout), .fallback = "30s", .least = 100,
      .most = 600000, .help = "how long running exchanges may take to end on SIGTERM" },
    { "message_memory", CONFIG_INTEGER, ROOT(message_memory), .fallback = "256", .least = 1,
      .most = 65536,
      .help =
          "MB that a v2 message may take while it is translated and delivered; one that needs "
          "more is parked as too-large" },
    { "listeners", CONFIG_MAP, ROOT(listeners), CONFIG_REQUIRED, .options = listener_options,
      .size = sizeof(struct config_listener), .help = "ways in" },
    { "destinations", CONFIG_MAP, ROOT(destinations), CONFIG_REQUIRED,
      .options = destination_options, .size = sizeof(struct config_destination),
      .help = "ways out" },
    { "routes", CONFIG_LIST, ROOT(routes), CONFIG_REQUIRED, .options = route_options,
      .size = sizeof(struct config_route), .help = "which listener leads where" },
    { "packages", CONFIG_PATHS, ROOT(packages),
      .help = "folders of FHIR packages with profiles, value sets and code systems" },
    { "ledger", CONFIG_SECTION, ROOT(ledger), CONFIG_REQUIRED, .options = ledger_options,
      .size = sizeof(struct config_ledger),
      .help = "the chain that holds consent and anchors" },
    { "database", CONFIG_SECTION, ROOT(database), CONFIG_REQUIRED, .options = database_options,
      .size = sizeof(struct config_database), .help = "PostgreSQL" },
    { "keys", CONFIG_SECTION, ROOT(keys), CONFIG_REQUIRED, .options = key_options,
      .size = sizeof(struct config_keys), .help = "the gateway's own keys" },
    { "admin", CONFIG_SECTION, ROOT(admin), CONFIG_REQUIRED, .options = admin_options,
      .size = sizeof(struct config_admin), .help = "health and metrics" },
    { "consent", CONFIG_SECTION, ROOT(consent), .options = consent_options,
      .size = sizeof(struct config_consent), .help = "enforcement" },
    { "break_glass", CONFIG_SECTION, ROOT(break_glass), .options = break_glass_options,
      .size = sizeof(struct config_break_glass),
      .help = "emergency access; without it nobody breaks the glass" },
    { "labeller", CONFIG_SECTION, ROOT(labeller), .options = labeller_options,
      .size = sizeof(struct config_labeller),
      .help = "sensitivity by codes; without it only labels in the data count" },
    { "log", CONFIG_SECTION, ROOT(log), CONFIG_REQUIRED, .options = log_options,
      .size = sizeof(struct config_log), .help = "the transparency log and the log lines" },
    { 0 },
};
