/* SPDX-License-Identifier: Apache-2.0 */
/* Who may change what: each mutation is tried by everybody. */
#include "fleet/account.h"
#include "fleet/audit.h"
#include "fleet/block.h"
#include "fleet/certificate.h"
#include "fleet/device.h"
#include "fleet/push.h"
#include "fleet/roster.h"
#include "tests/contract/fleet_gear.h"

/* What the acts work on. */
struct scene {
    struct fixture *f;
    struct phone phone;
    struct policy policy;
    struct assignment assignment;
    struct command command;
    const char *link_id, *certificate_id;
    const char *request_id; /* of a certificate: it waits */
};
typedef bool act(struct scene *s, const struct actor *actor, struct err *err);

static bool create_link(struct scene *s, const struct actor *actor, struct err *err)
{
    struct enrolment_link out, wish = {0};
    char *token;
    return fleet_link_create(s->f->fleet, actor, s->f->owner, &wish, &out, &token, err);
}

static bool revoke_link(struct scene *s, const struct actor *actor, struct err *err)
{
    return fleet_link_revoke(s->f->fleet, actor, s->link_id, err);
}

static bool command(struct scene *s, const struct actor *actor, enum command_kind kind,
                    struct err *err)
{
    struct command out;
    return fleet_command_create(s->f->fleet, actor, s->f->owner, s->phone.device_id, kind, NULL,
                                &out, err);
}

static bool lock_it(struct scene *s, const struct actor *actor, struct err *err)
{
    return command(s, actor, COMMAND_LOCK, err);
}

static bool sync_it(struct scene *s, const struct actor *actor, struct err *err)
{
    return command(s, actor, COMMAND_SYNC, err);
}

static bool wipe_it(struct scene *s, const struct actor *actor, struct err *err)
{
    return command(s, actor, COMMAND_WIPE, err);
}

static bool retire_it(struct scene *s, const struct actor *actor, struct err *err)
{
    return command(s, actor, COMMAND_RETIRE, err);
}

static bool cancel_command(struct scene *s, const struct actor *actor, struct err *err)
{
    return fleet_command_cancel(s->f->fleet, actor, s->command.id, err);
}

static bool create_account(struct scene *s, const struct actor *actor, struct err *err)
{
    struct account out, wish = {.name = mem_text(s->f->owner, "carl"), .role = ROLE_AUDITOR};
    char *password;
    return fleet_account_create(s->f->fleet, actor, s->f->owner, &wish, &out, &password, err);
}

static bool lower_account(struct scene *s, const struct actor *actor, struct err *err)
{
    struct account out;
    (void)create_account(s, actor, err);
    return fleet_account_set_role(s->f->fleet, actor, s->f->owner, "carl", ROLE_HELP_DESK, &out,
                                  err);
}

static bool disable_account(struct scene *s, const struct actor *actor, struct err *err)
{
    struct account out;
    (void)create_account(s, actor, err);
    return fleet_account_disable(s->f->fleet, actor, s->f->owner, "carl", &out, err);
}

static bool enable_account(struct scene *s, const struct actor *actor, struct err *err)
{
    struct account out;
    (void)create_account(s, actor, err);
    (void)disable_account(s, actor, err);
    return fleet_account_enable(s->f->fleet, actor, s->f->owner, "carl", &out, err);
}

static bool read_accounts(struct scene *s, const struct actor *actor, struct err *err)
{
    const struct page page = {.limit = LIST_LIMIT};
    struct list list;
    return fleet_account_list(s->f->fleet, actor, s->f->owner, &page, &list, err);
}

static bool create_policy(struct scene *s, const struct actor *actor, struct err *err)
{
    struct policy out, wish = {.name = mem_text(s->f->owner, "Another"),
                               .kind = mem_text(s->f->owner, "configuration"),
                               .settings = mem_text(s->f->owner, "{}")};
    return fleet_policy_create(s->f->fleet, actor, s->f->owner, &wish, &out, err);
}

static bool update_policy(struct scene *s, const struct actor *actor, struct err *err)
{
    struct policy out, wish = {.description = mem_text(s->f->owner, "better")};
    return fleet_policy_update(s->f->fleet, actor, s->f->owner, s->policy.id, &wish, &out, err);
}

static bool delete_policy(struct scene *s, const struct actor *actor, struct err *err)
{
    return fleet_policy_delete(s->f->fleet, actor, s->policy.id, 0, err);
}

static bool assign_policy(struct scene *s, const struct actor *actor, struct err *err)
{
    struct assignment out, wish = {.target = mem_text(s->f->owner, "device"),
                                   .device_id = mem_text(s->f->owner, s->phone.device_id)};
    return fleet_assignment_create(s->f->fleet, actor, s->f->owner, s->policy.id, &wish, &out, err);
}

static bool unassign_policy(struct scene *s, const struct actor *actor, struct err *err)
{
    return fleet_assignment_delete(s->f->fleet, actor, s->policy.id, s->assignment.id, err);
}

static bool make_challenge(struct scene *s, const struct actor *actor, struct err *err)
{
    struct network_challenge out, wish = {.subject = mem_text(s->f->owner, "CN=gear")};
    return fleet_network_challenge_make(s->f->fleet, actor, s->f->owner, &wish, &out, err);
}

static bool approve_request(struct scene *s, const struct actor *actor, struct err *err)
{
    return fleet_request_approve(s->f->fleet, actor, s->request_id, err);
}

static bool deny_request(struct scene *s, const struct actor *actor, struct err *err)
{
    return fleet_request_deny(s->f->fleet, actor, s->request_id, err);
}

static bool revoke_certificate(struct scene *s, const struct actor *actor, struct err *err)
{
    return fleet_certificate_revoke(s->f->fleet, actor, s->certificate_id, REASON_UNSPECIFIED, err);
}

static bool block_it(struct scene *s, const struct actor *actor, struct err *err)
{
    return fleet_device_block(s->f->fleet, actor, s->phone.device_id, err);
}

static bool request_push(struct scene *s, const struct actor *actor, struct err *err)
{
    struct bytes request;
    return fleet_push_request(s->f->fleet, actor, s->f->owner, "a@example.org", &request, err);
}

static bool create_token(struct scene *s, const struct actor *actor, struct err *err)
{
    struct session out;
    struct token wish = {.name = mem_text(s->f->owner, "x"), .role = ROLE_AUDITOR};
    return fleet_token_create(s->f->fleet, actor, s->f->owner, &wish, &out, err);
}

static bool read_audit(struct scene *s, const struct actor *actor, struct err *err)
{
    struct list list;
    struct page page = {.limit = 1};
    return fleet_audit_list(s->f->fleet, actor, s->f->owner, &page, &list, err);
}

static bool read_devices(struct scene *s, const struct actor *actor, struct err *err)
{
    struct list list;
    struct page page = {.limit = 1};
    struct device_filter filter = {0};
    return fleet_device_list(s->f->fleet, actor, s->f->owner, &filter, &page, &list, err);
}

#define ADMINISTRATOR 1
#define HELP_DESK 2
#define AUDITOR 4

static const struct {
    const char *what;
    act *act;
    unsigned may;
} rows[] = {
    {"create a link", create_link, ADMINISTRATOR | HELP_DESK},
    {"revoke a link", revoke_link, ADMINISTRATOR | HELP_DESK},
    {"lock", lock_it, ADMINISTRATOR | HELP_DESK},
    {"sync", sync_it, ADMINISTRATOR | HELP_DESK},
    {"cancel a command", cancel_command, ADMINISTRATOR | HELP_DESK},
    {"wipe", wipe_it, ADMINISTRATOR},
    {"retire", retire_it, ADMINISTRATOR},
    {"block", block_it, ADMINISTRATOR | HELP_DESK},
    {"create an account", create_account, ADMINISTRATOR},
    {"lower an account", lower_account, ADMINISTRATOR},
    {"disable an account", disable_account, ADMINISTRATOR},
    {"enable an account", enable_account, ADMINISTRATOR},
    {"read accounts", read_accounts, ADMINISTRATOR | AUDITOR},
    {"create a policy", create_policy, ADMINISTRATOR},
    {"update a policy", update_policy, ADMINISTRATOR},
    {"delete a policy", delete_policy, ADMINISTRATOR},
    {"assign a policy", assign_policy, ADMINISTRATOR},
    {"take a policy away", unassign_policy, ADMINISTRATOR},
    {"revoke a certificate", revoke_certificate, ADMINISTRATOR},
    {"make a challenge", make_challenge, ADMINISTRATOR},
    {"approve a request", approve_request, ADMINISTRATOR},
    {"deny a request", deny_request, ADMINISTRATOR},
    {"ask for a push certificate", request_push, ADMINISTRATOR},
    {"create a token", create_token, ADMINISTRATOR},
    {"read the audit log", read_audit, ADMINISTRATOR | AUDITOR},
    {"read devices", read_devices, ADMINISTRATOR | HELP_DESK | AUDITOR},
};

static struct scene scene_make(struct fixture *f)
{
    struct actor admin = fixture_admin(f);
    struct scene s = {.f = f, .phone = phone_enrolled(f, 0, "A")};
    struct enrolment_link link, wish = {0};
    char *token;
    struct err err;
    s.policy = fixture_policy(f, "PIN", "configuration", "{}");
    s.assignment = fixture_assign(f, s.policy.id, NULL);
    s.certificate_id = phone_identity(f, &s.phone).certificate_id;
    assert_works(fleet_command_create(f->fleet, &admin, f->owner, s.phone.device_id,
                                      COMMAND_RESTART, NULL, &s.command, &err),
                 err);
    assert_works(fleet_link_create(f->fleet, &admin, f->owner, &wish, &link, &token, &err), err);
    s.link_id = link.id;
    const struct network_challenge challenge = gear_challenge(f, true);
    const struct certificate_asked asked = gear_asked(f, &challenge, 1);
    assert_true(fixture_issue(f, &asked).is_pending);
    s.request_id = challenge.id;
    return s;
}

/* proves-partly: 4c-33 */
static void who_has_not_the_permission_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct scene s = scene_make(f);
    struct identity identity = phone_identity(f, &s.phone);
    const struct actor device = fleet_device_actor(&identity, "r", f->now);
    const struct actor public = fixture_public(f);
    uint64_t before = database_transactions(f->contract->database);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err err;
        print_message("may not %s\n", rows[i].what);
        for (enum role role = ROLE_ADMINISTRATOR; role <= ROLE_AUDITOR; role++) {
            struct actor actor = fixture_account(f, role);
            if (!(rows[i].may & 1u << role))
                assert_fails(rows[i].act(&s, &actor, &err), err, ERR_FORBIDDEN);
        }
        assert_fails(rows[i].act(&s, &device, &err), err, ERR_FORBIDDEN);
        assert_fails(rows[i].act(&s, &public, &err), err, ERR_FORBIDDEN);
    }
    assert_int_equal(database_transactions(f->contract->database), before);
}

/* proves-partly: 4c-33 */
static void who_has_the_permission_may(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].act == create_token)
            continue; /* needs an account that exists: test_fleet_account.c */
        for (enum role role = ROLE_ADMINISTRATOR; role <= ROLE_AUDITOR; role++) {
            void *own = f->process;
            if (!(rows[i].may & 1u << role) || (role != ROLE_ADMINISTRATOR && i % 3 != 0))
                continue; /* each by an administrator, some by others: databases take time */
            assert_int_equal(fixture_open(&own), 0);
            struct scene s = scene_make(own);
            struct actor actor = fixture_account(own, role);
            struct err err;
            print_message("may %s\n", rows[i].what);
            assert_works(rows[i].act(&s, &actor, &err), err);
            assert_int_equal(fixture_close(&own), 0);
        }
    }
}

/* A device speaks for itself alone, and only through what devices do. */
static void a_change_is_recorded_with_who_made_it(void **state)
{
    struct fixture *f = *state;
    struct scene s = scene_make(f);
    struct actor admin = fixture_admin(f);
    struct err err;
    admin.reason = "lost in a taxi";
    assert_works(wipe_it(&s, &admin, &err), err);
    struct rows *audit = fixture_look(f, &SQL_LOOK_AUDIT_ALL, NO_ARGS);
    size_t last = audit->count - 1;
    assert_string_equal(rows_text(audit, last, "action"), "device.wipe");
    assert_string_equal(rows_text(audit, last, "actor_kind"), "account");
    assert_string_equal(rows_text(audit, last, "actor_name"), "administrator");
    assert_string_equal(rows_text(audit, last, "reason"), "lost in a taxi");
    assert_string_equal(rows_text(audit, last, "subject_id"), s.phone.device_id);
    assert_string_equal(rows_text(audit, last, "request_id"), "r1");
}

FLEET_MAIN(FLEET_TEST(who_has_not_the_permission_changes_nothing),
           FLEET_TEST(who_has_the_permission_may),
           FLEET_TEST(a_change_is_recorded_with_who_made_it))
