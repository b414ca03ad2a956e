/* Three pages, made anew for each request. */
#include "gateway/admin.h"

#include "fhir/format/json_write.h"
#include "gateway/consents.h"
#include "gateway/heap.h"
#include "gateway/metrics.h"
#include "gateway/net/http_server.h"
#include "gateway/store/batch.h"
#include "gateway/store/db.h"

enum {
    PAGE_MAX = 256 << 10,
    REQUEST_BODY_MAX = 0,
};

static const struct http_field json_fields[] = {
    { .name = { "Content-Type", 12 }, .value = { "application/json", 16 } },
    { .name = { "Cache-Control", 13 }, .value = { "no-store", 8 } },
};
static const struct http_field metric_fields[] = {
    { .name = { "Content-Type", 12 },
      .value = { "application/openmetrics-text; version=1.0.0; charset=utf-8", 57 } },
    { .name = { "Cache-Control", 13 }, .value = { "no-store", 8 } },
};

static void check(struct json_writer *w, const char *name, bool good, const char *why,
                  bool *all_good)
{
    json_object(w, name);
    json_z(w, "status", good ? "pass" : "fail");
    if (!good) {
        json_z(w, "reason", why);
    }
    json_end(w);
    *all_good &= good;
}

/* Routes that don't hold back: ready, but said. */
static void put_modes(struct json_writer *w, const struct config *config)
{
    static const char *const names[] = { "enforce", "shadow", "observe" };
    json_array(w, "notEnforcing");
    for (size_t i = 0; i < config->routes.n; i++) {
        const struct config_route *route = config_route(config, i);
        if (route->mode != MODE_ENFORCE) {
            json_object(w, NULL);
            json_z(w, "from", route->from);
            json_z(w, "mode", names[route->mode]);
            json_end(w);
        }
    }
    json_end(w);
}

static int ready_page(const struct worker *worker, struct buf *page)
{
    enum consents_state state = consents_state(worker->consents);
    bool good = true;
    struct json_writer w = json_writer(page);
    json_object(&w, NULL);
    json_object(&w, "checks");
    check(&w, "database", db_up(worker->db) && batch_up(worker->batch), "not connected", &good);
    check(&w, "consents", state != CONSENTS_LOADING && state != CONSENTS_LEASE,
          consents_state_name(state), &good);
    check(&w, "ledger", state != CONSENTS_LEDGER, consents_state_name(state), &good);
    check(&w, "draining", !worker->draining, "shutting down", &good);
    json_end(&w);
    json_i64(&w, "ledgerAgeMilliseconds", consents_ledger_age(worker->consents));
    json_u64(&w, "consentEpoch", consents_epoch(worker->consents));
    put_modes(&w, worker->config);
    json_z(&w, "status", good ? "pass" : "fail");
    json_end(&w);
    return good ? 200 : 503;
}

static void on_request(void *owner, struct http_req *req)
{
    const struct http_head *head = http_req_head(req);
    struct buf page = heap_buf(PAGE_MAX);
    const struct http_field *fields = json_fields;
    int status = 200;
    if (head->method != HTTP_GET && head->method != HTTP_HEAD) {
        status = 405;
        buf_z(&page, "{\"status\":\"fail\"}");
    } else if (str_eq(head->path, STR("/health/live"))) {
        buf_z(&page, "{\"status\":\"pass\"}");
    } else if (str_eq(head->path, STR("/health/ready"))) {
        status = ready_page(owner, &page);
    } else if (str_eq(head->path, STR("/metrics"))) {
        metrics_write(&page);
        fields = metric_fields;
    } else {
        status = 404;
        buf_z(&page, "{\"status\":\"fail\"}");
    }
    http_res_full(req, buf_failed(&page) ? 500 : status, fields, ARRAY_LEN(json_fields),
                  buf_failed(&page) ? STR("") : buf_str(&page));
    heap_buf_free(&page);
}

struct http_server *admin_open(struct worker *worker, int fd)
{
    struct http_server_config config = {
        .base = worker->loop,
        .fd = fd,
        .owner = worker,
        .on_request = on_request,
        .body_max = REQUEST_BODY_MAX,
        .connections_max = 64,
    };
    return http_server_new(&config);
}
