// Random calls over a bus, well-formed and not, as fast as they are answered: storm ADDRESS SEED CALLS CONNECTIONS RUN
//
// It speaks the wire protocol itself, since libraries refuse to send most of this: every signature, both byte orders,
// huge arrays, deep variants, bytes that are no text, paths and interfaces that nobody has, file descriptors, replies
// and signals that nobody asked for, messages with broken bytes, connections that end in the middle of a call. RUN is
// the execution id of a run that lasts; some calls wait for its end.
//
// Every well-formed call that wants an answer must get one. When all are answered but those that wait for RUN it says
// "waiting", and when these are, what came of it as JSON; it ends with 0 then, and with 1 where an answer did not come
// or nobody had asked for it.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    IN_FLIGHT = 256,       // calls under way, those that wait for the run apart
    IN_FLIGHT_EACH = 64,   // of one connection, those included
    HUGE_BYTES = 1 << 20,  // an array at its largest
    PATIENCE_SECONDS = 120,
};

// Of one call in so many:
enum {
    ONE_ENDS_A_CONNECTION = 300,
    ONE_IS_BROKEN = 500,
    ONE_WAITS = 2000,
    ONE_IS_HUGE = 5000,
    ONE_IS_DEEP = 100,
    ONE_PASSES_FDS = 20,  // where it can
    ONE_IS_UNASKED = 50,
    ONE_WANTS_NO_ANSWER = 30,
    ONE_WRITER_GOES = 20,
};

// MARK: Randomness

static uint64_t state;

static uint64_t random64(void) {
    uint64_t z = (state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static unsigned below(unsigned limit) { return (unsigned)((random64() >> 32) * limit >> 32); }
static bool one_in(unsigned count) { return below(count) == 0; }
#define ANY(list) (list)[below(sizeof(list) / sizeof(*(list)))]

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void die(const char *what) {
    fprintf(stderr, "storm: %s: %s\n", what, strerror(errno));
    exit(2);
}

// MARK: Bytes

typedef struct {
    uint8_t *bytes;
    size_t count, room;
    bool is_big;  // byte order
} Buffer;

static void reserve(Buffer *b, size_t more) {
    if (b->count + more <= b->room) return;
    b->room = (b->count + more) * 2;
    b->bytes = realloc(b->bytes, b->room);
    if (!b->bytes) die("realloc");
}

static void put(Buffer *b, const void *bytes, size_t count) {
    reserve(b, count);
    memcpy(b->bytes + b->count, bytes, count);
    b->count += count;
}

static void put_byte(Buffer *b, uint8_t byte) { put(b, &byte, 1); }
static void align(Buffer *b, size_t to) { while (b->count % to) put_byte(b, 0); }

static void put_number(Buffer *b, uint64_t number, size_t size) {
    align(b, size);
    for (size_t i = 0; i < size; i++) put_byte(b, (uint8_t)(number >> 8 * (b->is_big ? size - 1 - i : i)));
}

static void set_number(Buffer *b, size_t place, uint32_t number) {
    for (size_t i = 0; i < 4; i++) b->bytes[place + i] = (uint8_t)(number >> 8 * (b->is_big ? 3 - i : i));
}

static uint32_t get_number(const uint8_t *bytes, bool is_big) {
    uint32_t number = 0;
    for (size_t i = 0; i < 4; i++) number |= (uint32_t)bytes[i] << 8 * (is_big ? 3 - i : i);
    return number;
}

static void put_text(Buffer *b, const char *text) {
    put_number(b, strlen(text), 4);
    put(b, text, strlen(text) + 1);
}

// MARK: Texts

enum Place { ROOT, JOB, RUN, ANYWHERE };
#define FACE "com.aiworkflow.BotCron"
#define STANDARD "org.freedesktop.DBus."

// What there is to call, with what it takes; a writer is called less often than others.
static const struct {
    const char *member, *signature, *interface;
    enum Place place;
    bool is_writer;
} methods[] = {
    {"run_job", "s", FACE, ROOT, true}, {"run_now", "s", FACE, ROOT, true}, {"schedule_job", "s", FACE, ROOT, true},
    {"update_config", "sss", FACE, ROOT, true}, {"reload_config", "", FACE, ROOT, true},
    {"queue_push", "ss", FACE, ROOT, true}, {"list_jobs", "", FACE, ROOT}, {"get_history", "i", FACE, ROOT},
    {"toggle_scheduler", "b", FACE, ROOT}, {"toggle_job", "sb", FACE, ROOT}, {"get_config", "ss", FACE, ROOT},
    {"cancel_job", "s", FACE, ROOT}, {"pause_job", "s", FACE, ROOT}, {"resume_job", "s", FACE, ROOT},
    {"skip_job", "s", FACE, ROOT}, {"get_job", "s", FACE, ROOT}, {"get_run", "s", FACE, ROOT},
    {"rerun", "s", FACE, ROOT, true}, {"backfill", "s", FACE, ROOT, true},
    {"cancel_run", "s", FACE, ROOT}, {"get_output", "sxu", FACE, ROOT}, {"preview_schedule", "si", FACE, ROOT},
    {"explain_job", "ss", FACE, ROOT}, {"query_history", "s", FACE, ROOT}, {"queue_pop", "s", FACE, ROOT},
    {"queue_ack", "ss", FACE, ROOT}, {"queue_peek", "si", FACE, ROOT}, {"queue_list", "", FACE, ROOT},
    {"GetStatus", "", FACE, ROOT}, {"GetStats", "", FACE, ROOT}, {"HealthCheck", "", FACE, ROOT},
    {"GetMetrics", "", FACE, ROOT}, {"Ping", "", FACE, ROOT}, {"CallMethod", "ss", FACE, ROOT},
    {"CallMethod", "ss", FACE, ROOT}, {"ListJobs", "", FACE ".Manager1", ROOT}, {"GetJob", "s", FACE ".Manager1", ROOT},
    {"AddJob", "a{sv}", FACE ".Manager1", ROOT, true}, {"RunJob", "sa{sv}", FACE ".Manager1", ROOT, true},
    {"ListRuns", "", FACE ".Manager1", ROOT}, {"Run", "", FACE ".Job1", JOB, true}, {"Enable", "", FACE ".Job1", JOB},
    {"Disable", "", FACE ".Job1", JOB}, {"Remove", "", FACE ".Job1", JOB}, {"Explain", "", FACE ".Job1", JOB},
    {"Cancel", "", FACE ".Run1", RUN}, {"Output", "tu", FACE ".Run1", RUN},
    {"Get", "ss", STANDARD "Properties", ANYWHERE}, {"Set", "ssv", STANDARD "Properties", ANYWHERE},
    {"GetAll", "s", STANDARD "Properties", ANYWHERE}, {"Introspect", "", STANDARD "Introspectable", ANYWHERE},
    {"Ping", "", STANDARD "Peer", ANYWHERE}, {"GetMachineId", "", STANDARD "Peer", ANYWHERE},
    {"GetManagedObjects", "", STANDARD "ObjectManager", ROOT, true}, {"no_such_method", "s", FACE, ROOT},
};
static const char *const interfaces[] = {
    FACE, FACE ".Manager1", FACE ".Job1", FACE ".Run1", STANDARD "Properties", STANDARD "Peer",
    STANDARD "Introspectable", STANDARD "ObjectManager", "org.freedesktop.LogControl1", "org.example.Nothing", NULL,
};
static const char *const job_paths[] = {
    "/com/aiworkflow/BotCron/jobs/quick", "/com/aiworkflow/BotCron/jobs/daily", "/com/aiworkflow/BotCron/jobs/made0",
    "/com/aiworkflow/BotCron/jobs/_", "/com/aiworkflow/BotCron/jobs/_zz",
};
static const char *const paths[] = {
    "/com/aiworkflow/BotCron", "/com/aiworkflow/BotCron/jobs/quick", "/com/aiworkflow/BotCron/jobs/daily",
    "/com/aiworkflow/BotCron/jobs/_", "/com/aiworkflow/BotCron/jobs", "/com/aiworkflow/BotCron/runs/none",
    "/org/freedesktop/LogControl1", "/com", "/", "/no/such/object",
};
static const char *const signatures[] = {"", "s", "sb", "a{sv}", "(ias)", "aay", "v", "h"};
static const char *const words[] = {
    "", "quick", "daily", "nobody", "made0", "made1", "made2", "slack", "x", "a.b", "Enabled", "NextRun", "Schedule",
    "LogLevel", "com.aiworkflow.BotCron", "com.aiworkflow.BotCron.Job1", "true", "off", "-1", "7",
    "99999999999999999999", "2026-01-26T09:00:00Z", "0 9 * * MON-FRI", "61 * * * *", "* * * * * *", "0 0 30 2 *",
    "@daily", "cron-x-20260101-000000", "list_jobs", "get_history", "get_job", "Ping", "../../etc/passwd", "%s%s%n",
    "'; DROP TABLE run; --", "{\"job\": \"quick\"}", "{\"limit\": 5, \"cursor\": \"9.9\"}",
    "{\"cron\": \"*/7 * * * *\", \"timezone\": \"Asia/Tokyo\"}", "{\"name\": \"made0\", \"command\": [\"true\"]}",
    "[\"daily\", false]", "{\"job_name\": \"daily\"}", "null", "[", "{\"a\":", "[1e400, -0, 1.5]", "\"\\ud800\"",
};

static void put_scalar(Buffer *b, uint32_t scalar) {
    if (scalar < 0x80) return put_byte(b, (uint8_t)scalar);
    if (scalar < 0x800) put_byte(b, (uint8_t)(0xc0 | scalar >> 6));
    else {
        if (scalar < 0x10000) put_byte(b, (uint8_t)(0xe0 | scalar >> 12));
        else {
            put_byte(b, (uint8_t)(0xf0 | scalar >> 18));
            put_byte(b, (uint8_t)(0x80 | (scalar >> 12 & 0x3f)));
        }
        put_byte(b, (uint8_t)(0x80 | (scalar >> 6 & 0x3f)));
    }
    put_byte(b, (uint8_t)(0x80 | (scalar & 0x3f)));
}

// Some text, which ends with a zero; often JSON, whole or cut.
static const char *any_text(void) {
    static Buffer text;
    text.count = 0;
    switch (below(8)) {
    case 0: {
        unsigned depth = one_in(50) ? below(5000) : below(20);
        for (unsigned i = 0; i < depth; i++) put_byte(&text, '[');
        break;
    }
    case 1:
        for (unsigned i = below(40); i; i--) {
            uint32_t scalar = below(one_in(2) ? 0x80 : 0x110000);
            put_scalar(&text, scalar == 0 || (scalar >= 0xd800 && scalar < 0xe000) ? 'x' : scalar);
        }
        break;
    case 2:
        for (unsigned i = below(6); i; i--) {
            const char *word = ANY(words);
            put(&text, word, strlen(word));
            put(&text, &",:{}[]\" "[below(8)], 1);
        }
        break;
    case 3: {
        const char *name = ANY(interfaces);
        return name ? name : "";
    }
    default: return ANY(words);
    }
    put_byte(&text, 0);
    return (const char *)text.bytes;
}

// MARK: Types and values

static const char basic[] = "ybnqiuxtdsog";

static void put_type(Buffer *signature, unsigned depth) {
    switch (depth ? below(10) : 9) {
    case 0:
        put_byte(signature, 'a');
        return put_type(signature, depth - 1);
    case 1:
        put(signature, "a{", 2);
        put_byte(signature, (uint8_t)basic[below(sizeof basic - 1)]);
        put_type(signature, depth - 1);
        return put_byte(signature, '}');
    case 2:
        put_byte(signature, '(');
        for (unsigned i = 1 + below(3); i; i--) put_type(signature, depth - 1);
        return put_byte(signature, ')');
    case 3: return put_byte(signature, 'v');
    default: return put_byte(signature, (uint8_t)basic[below(sizeof basic - 1)]);
    }
}

static size_t type_length(const char *type) {
    if (*type == 'a') return 1 + type_length(type + 1);
    if (*type != '(' && *type != '{') return 1;
    size_t length = 1;
    while (type[length] != ')' && type[length] != '}') length += type_length(type + length);
    return length + 1;
}

static size_t alignment(char type) {
    switch (type) {
    case 'n': case 'q': return 2;
    case 'b': case 'i': case 'u': case 's': case 'o': case 'a': case 'h': return 4;
    case 'x': case 't': case 'd': case '(': case '{': return 8;
    default: return 1;
    }
}

static void put_value(Buffer *b, const char *type, unsigned depth);

// The contents of a variant: its signature and its value.
static void put_variant(Buffer *b, unsigned depth) {
    Buffer type = {0};
    put_type(&type, depth > 3 ? 3 : depth ? depth - 1 : 0);
    put_byte(b, (uint8_t)type.count);
    put(b, type.bytes, type.count);
    put_byte(b, 0);
    put_byte(&type, 0);
    put_value(b, (const char *)type.bytes, depth ? depth - 1 : 0);
    free(type.bytes);
}

// Of the one type at the beginning of the text.
static void put_value(Buffer *b, const char *type, unsigned depth) {
    switch (*type) {
    case 'y': return put_byte(b, (uint8_t)below(256));
    case 'b': return put_number(b, below(2), 4);
    case 'n': case 'q': return put_number(b, random64(), 2);
    case 'i': case 'u': return put_number(b, one_in(2) ? below(50) : random64(), 4);
    case 'h': return put_number(b, below(2), 4);
    case 'x': case 't': return put_number(b, one_in(2) ? below(1000) : random64(), 8);
    case 'd': return put_number(b, random64(), 8);
    case 's': return put_text(b, any_text());
    case 'o': return put_text(b, ANY(paths));
    case 'g': {
        const char *text = ANY(signatures);
        put_byte(b, (uint8_t)strlen(text));
        return put(b, text, strlen(text) + 1);
    }
    case 'v': return put_variant(b, depth);
    case '(': case '{':
        align(b, 8);
        for (type++; *type != ')' && *type != '}'; type += type_length(type)) put_value(b, type, depth);
        return;
    case 'a': {
        align(b, 4);
        size_t place = b->count;
        put_number(b, 0, 4);
        align(b, alignment(type[1]));
        size_t start = b->count;
        if (type[1] == 'y' && one_in(3)) {
            // Bytes that are no text.
            for (unsigned i = below(60); i; i--) put_byte(b, (uint8_t)random64());
        } else {
            for (unsigned i = below(4); i; i--) put_value(b, type + 1, depth);
        }
        return set_number(b, place, (uint32_t)(b->count - start));
    }
    }
}

// An array as large as it may be, of bytes, of numbers or of texts.
static void put_huge(Buffer *signature, Buffer *body) {
    static const char *const types[] = {"ay", "ai", "as", "av", "a{sv}", "s"};
    const char *type = ANY(types);
    put(signature, type, strlen(type));
    size_t place = body->count;
    put_number(body, 0, 4);
    if (type[0] != 's') align(body, alignment(type[1]));
    size_t start = body->count, size = below(HUGE_BYTES);
    while (body->count - start < size) {
        if (type[0] == 's') put_byte(body, 'x');
        else if (type[1] == 'y') put_byte(body, 0xff);
        else put_value(body, type + 1, 1);
    }
    set_number(body, place, (uint32_t)(body->count - start));
    if (type[0] == 's') put_byte(body, 0);
}

// Containers in containers, nearly as many as the protocol lets through.
static void put_deep(Buffer *signature, Buffer *body) {
    switch (below(3)) {
    case 0: {
        // Each variant holds the next one: 64 containers in all are the most.
        put_byte(signature, 'v');
        for (unsigned i = 1 + below(60); i; i--) put(body, "\1v", 3);
        return put(body, "\1y\0\7", 4);
    }
    case 1:
        for (unsigned i = 32; i; i--) put_byte(signature, 'a');
        put_byte(signature, 'y');
        // One in each.
        for (unsigned i = 31; i; i--) put_number(body, 4 * i, 4);
        return put_number(body, 0, 4);
    default: {
        static const char deep[] = "((((((((((((((((((((((((((((((((y))))))))))))))))))))))))))))))))";
        put(signature, deep, sizeof deep - 1);
        return put_value(body, deep, 0);
    }
    }
}

// MARK: Messages

enum { CALL = 1, RETURN = 2, FAILURE = 3, SIGNAL = 4 };
enum { NO_REPLY_EXPECTED = 1, NO_AUTO_START = 2 };

static void put_field(Buffer *b, uint8_t code, char type, const char *text) {
    if (!text) return;
    align(b, 8);
    put_byte(b, code);
    uint8_t head[] = {1, (uint8_t)type, 0};
    put(b, head, 3);
    if (type != 'g') return put_text(b, text);
    put_byte(b, (uint8_t)strlen(text));
    put(b, text, strlen(text) + 1);
}

static void put_number_field(Buffer *b, uint8_t code, uint32_t number) {
    align(b, 8);
    uint8_t head[] = {code, 1, 'u', 0};
    put(b, head, 4);
    put_number(b, number, 4);
}

typedef struct {
    uint8_t type, flags;
    uint32_t serial, reply_serial, fd_count;
    const char *destination, *path, *interface, *member, *error, *signature;
} Head;

static void put_message(Buffer *out, const Head *head, const Buffer *body) {
    Buffer m = {.is_big = body->is_big};
    uint8_t start[] = {body->is_big ? 'B' : 'l', head->type, head->flags, 1};
    put(&m, start, 4);
    put_number(&m, body->count, 4);
    put_number(&m, head->serial, 4);
    put_number(&m, 0, 4);
    size_t fields = m.count;
    put_field(&m, 1, 'o', head->path);
    put_field(&m, 2, 's', head->interface);
    put_field(&m, 3, 's', head->member);
    put_field(&m, 4, 's', head->error);
    if (head->reply_serial) put_number_field(&m, 5, head->reply_serial);
    put_field(&m, 6, 's', head->destination);
    if (head->signature && *head->signature) put_field(&m, 8, 'g', head->signature);
    if (head->fd_count) put_number_field(&m, 9, head->fd_count);
    set_number(&m, 12, (uint32_t)(m.count - fields));
    align(&m, 8);
    put(out, m.bytes, m.count);
    put(out, body->bytes, body->count);
    free(m.bytes);
}

// MARK: Connections

typedef struct {
    uint32_t serial;
    bool is_wait;
} Pending;

typedef struct {
    int fd;
    Buffer in, out;
    size_t sent;  // of `out`
    uint32_t serial, answered;  // the last ones
    Pending pending[IN_FLIGHT_EACH];
    unsigned pending_count;
    bool is_rogue;  // it has sent what the bus ends a connection for
} Connection;

static const char service[] = FACE, root[] = "/com/aiworkflow/BotCron";
static const char *address, *run_id;
static int epoll_fd, null_fd;
static Connection *connections;
static unsigned connection_count;

static struct {
    unsigned calls, returned, refused, abandoned, silent, stray;
    unsigned in_flight, waits;
    unsigned unasked, broken, fds, huge, reconnected;
} total;

typedef struct {
    char name[80];
    unsigned count;
} Name;
static Name names[64];

static void count_name(const char *name) {
    for (Name *n = names; n < names + 64; n++) {
        if (!*n->name) snprintf(n->name, sizeof n->name, "%s", name);
        if (strncmp(n->name, name, sizeof n->name - 1) == 0) {
            n->count++;
            return;
        }
    }
}

static void write_all(int fd, const char *text, size_t count) {
    while (count) {
        ssize_t written = send(fd, text, count, MSG_NOSIGNAL);
        if (written < 0) die("send");
        text += written;
        count -= (size_t)written;
    }
}

static void expect_line(int fd, const char *start) {
    char line[256];
    size_t count = 0;
    while (count < sizeof line - 1 && (count < 2 || line[count - 1] != '\n')) {
        if (read(fd, line + count, 1) != 1) die("the bus ended the greeting");
        count++;
    }
    line[count] = 0;
    if (strncmp(line, start, strlen(start))) {
        fprintf(stderr, "storm: the bus said %s where %s was expected\n", line, start);
        exit(2);
    }
}

static void send_head(Connection *c, Head *head, const Buffer *body) {
    head->serial = ++c->serial;
    put_message(&c->out, head, body);
}

static void connect_to_bus(Connection *c) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const char *path = strstr(address, "path="), *abstract = strstr(address, "abstract=");
    const char *name = path ? path + 5 : abstract ? abstract + 9 : "";
    size_t length = strcspn(name, ",;"), skip = path ? 0 : 1;
    if (!length || length + skip >= sizeof to.sun_path) die("no unix socket in the address");
    memcpy(to.sun_path + skip, name, length);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0) die("socket");
    if (connect(c->fd, (struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + skip + length)))
        die("connect");
    char uid[16], greeting[64] = "";
    snprintf(uid, sizeof uid, "%u", getuid());
    size_t place = 1 + (size_t)sprintf(greeting + 1, "AUTH EXTERNAL ");
    for (char *digit = uid; *digit; digit++) place += (size_t)sprintf(greeting + place, "%02x", *digit);
    place += (size_t)sprintf(greeting + place, "\r\n");
    write_all(c->fd, greeting, place);
    expect_line(c->fd, "OK ");
    write_all(c->fd, "NEGOTIATE_UNIX_FD\r\n", 19);
    expect_line(c->fd, "AGREE_UNIX_FD");
    write_all(c->fd, "BEGIN\r\n", 7);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    c->in.count = c->out.count = c->sent = c->serial = c->answered = c->pending_count = 0;
    c->is_rogue = false;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event)) die("epoll_ctl");
    static const char bus[] = "org.freedesktop.DBus";
    Head hello = {
        .type = CALL, .destination = bus, .path = "/org/freedesktop/DBus", .interface = bus, .member = "Hello",
    };
    send_head(c, &hello, &(Buffer){0});
    c->pending[c->pending_count++] = (Pending){c->serial, false};
    total.calls++;
    total.in_flight++;
}

// What it has asked for is not answered any more.
static void reconnect(Connection *c) {
    close(c->fd);
    for (unsigned i = 0; i < c->pending_count; i++) {
        total.abandoned++;
        if (c->pending[i].is_wait) total.waits--;
        else total.in_flight--;
    }
    total.reconnected++;
    connect_to_bus(c);
}

// False where the bus has ended it.
static bool flush(Connection *c) {
    while (c->sent < c->out.count) {
        ssize_t written = send(c->fd, c->out.bytes + c->sent, c->out.count - c->sent, MSG_NOSIGNAL);
        if (written < 0 && errno != EAGAIN) return false;
        if (written < 0) break;
        c->sent += (size_t)written;
    }
    bool is_all = c->sent == c->out.count;
    if (is_all) c->sent = c->out.count = 0;
    struct epoll_event event = {.events = EPOLLIN | (is_all ? 0 : EPOLLOUT), .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
    return true;
}

// MARK: Sending

static const char *body_for(Buffer *signature, Buffer *body, const char *wanted) {
    if (one_in(ONE_IS_HUGE)) {
        total.huge++;
        put_huge(signature, body);
    } else if (one_in(ONE_IS_DEEP)) {
        put_deep(signature, body);
    } else {
        if (wanted && !one_in(4)) put(signature, wanted, strlen(wanted));
        // At most 255 bytes.
        else for (unsigned i = below(4); i && signature->count < 100; i--) put_type(signature, 3);
        put_byte(signature, 0);
        const char *type = (const char *)signature->bytes;
        for (; *type; type += type_length(type)) put_value(body, type, 5);
        return (const char *)signature->bytes;
    }
    put_byte(signature, 0);
    return (const char *)signature->bytes;
}

// What nobody asked for, and what has no answer.
static void send_unasked(Connection *c) {
    Buffer signature = {0}, body = {.is_big = one_in(4)};
    Head head = {.destination = service, .flags = NO_REPLY_EXPECTED};
    head.signature = body_for(&signature, &body, NULL);
    switch (below(4)) {
    case 0:
        head.type = RETURN;
        head.reply_serial = 1 + below(100000);
        break;
    case 1:
        head.type = FAILURE;
        head.reply_serial = 1 + below(100000);
        head.error = "org.example.Error.Made.Up";
        break;
    case 2:
        head.type = SIGNAL;
        head.path = "/org/freedesktop/DBus";
        head.interface = "org.freedesktop.DBus";
        head.member = one_in(2) ? "NameOwnerChanged" : "NameLost";
        break;
    default:
        head.type = SIGNAL;
        head.path = ANY(paths);
        head.interface = "org.freedesktop.login1.Manager";
        head.member = one_in(2) ? "PrepareForSleep" : "PrepareForShutdown";
        break;
    }
    send_head(c, &head, &body);
    total.unasked++;
    free(signature.bytes);
    free(body.bytes);
}

// Flips bytes of a call. Most of it the bus ends the connection for, some is a call all the same.
static void send_broken(Connection *c) {
    Buffer signature = {0}, body = {0};
    Head head = {
        .type = CALL, .destination = service, .path = ANY(paths), .interface = ANY(interfaces), .member = "Ping",
    };
    head.signature = body_for(&signature, &body, "sas");
    size_t start = c->out.count;
    send_head(c, &head, &body);
    for (unsigned i = 1 + below(4); i; i--) {
        size_t place = start + below((unsigned)(c->out.count - start));
        c->out.bytes[place] = (uint8_t)random64();
    }
    // Or it ends before the message does.
    if (one_in(3)) c->out.count -= below((unsigned)(c->out.count - start));
    c->is_rogue = true;
    total.broken++;
    free(signature.bytes);
    free(body.bytes);
}

// False where it cannot be sent now. The fds go with the first byte of the message, and libdbus loses those that it
// reads together with the end of another message: the bus must have read all that came before.
static bool send_with_fds(Connection *c, Head *head) {
    if (c->answered != c->serial) return false;
    c->sent = c->out.count = 0;
    Buffer content = {0}, *body = &content;
    put(body, "\1h", 3);
    put_number(body, below(3), 4);
    head->signature = "v";
    head->fd_count = 1 + below(3);
    head->serial = ++c->serial;
    put_message(&c->out, head, body);
    int fds[3] = {null_fd, null_fd, null_fd};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof fds)];
    } control = {0};
    struct iovec part = {c->out.bytes, c->out.count};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
        .msg_controllen = CMSG_SPACE(head->fd_count * sizeof *fds),
    };
    struct cmsghdr *passed = CMSG_FIRSTHDR(&message);
    *passed = (struct cmsghdr){CMSG_LEN(head->fd_count * sizeof *fds), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(passed), fds, head->fd_count * sizeof *fds);
    ssize_t written = sendmsg(c->fd, &message, MSG_NOSIGNAL);
    free(content.bytes);
    if (written <= 0) {
        c->out.count = 0;
        c->serial--;
        head->fd_count = 0;
        return false;
    }
    c->sent = (size_t)written;
    total.fds++;
    return true;
}

static void send_call(Connection *c) {
    const size_t count = sizeof methods / sizeof *methods;
    unsigned index = below(count);
    while (methods[index].is_writer && !one_in(ONE_WRITER_GOES)) index = below(count);
    Buffer signature = {0}, body = {.is_big = one_in(8)};
    Head head = {
        .type = CALL, .destination = service, .path = ANY(paths), .interface = ANY(interfaces),
        .member = methods[index].member, .flags = one_in(ONE_WANTS_NO_ANSWER) ? NO_REPLY_EXPECTED : NO_AUTO_START,
    };
    // Most go to where there is such a method.
    if (!one_in(5)) {
        head.interface = one_in(10) ? NULL : methods[index].interface;
        if (methods[index].place == ROOT) head.path = root;
        if (methods[index].place == JOB) head.path = ANY(job_paths);
    }
    Pending pending = {0};
    if (one_in(ONE_WAITS)) {
        head.member = "wait_run";
        head.interface = service;
        head.path = root;
        head.flags = 0;
        head.signature = "s";
        put_text(&body, run_id);
        pending.is_wait = true;
        send_head(c, &head, &body);
    } else if (!one_in(ONE_PASSES_FDS) || !send_with_fds(c, &head)) {
        head.signature = body_for(&signature, &body, methods[index].signature);
        send_head(c, &head, &body);
    }
    total.calls++;
    if (head.flags & NO_REPLY_EXPECTED) {
        total.silent++;
    } else {
        pending.serial = c->serial;
        c->pending[c->pending_count++] = pending;
        if (pending.is_wait) total.waits++;
        else total.in_flight++;
    }
    free(signature.bytes);
    free(body.bytes);
}

// MARK: Receiving

static void answered(Connection *c, uint32_t serial, const char *error) {
    for (unsigned i = 0; i < c->pending_count; i++) {
        if (c->pending[i].serial != serial) continue;
        if (c->pending[i].is_wait) total.waits--;
        else total.in_flight--;
        c->pending[i] = c->pending[--c->pending_count];
        c->answered = serial;
        if (error) {
            total.refused++;
            count_name(error);
        } else {
            total.returned++;
        }
        return;
    }
    // The bus itself refuses some replies and signals that nobody asked for, and says so though it need not.
    if (error && strncmp(error, "org.freedesktop.DBus.Error.", 27) == 0) return;
    total.stray++;
}

static void received(Connection *c, const uint8_t *message, size_t fields_length) {
    uint8_t type = message[1];
    if ((type != RETURN && type != FAILURE) || c->is_rogue) return;
    bool is_big = message[0] == 'B';
    uint32_t reply_serial = 0;
    const char *error = NULL;
    for (size_t place = 16; place < 16 + fields_length;) {
        place = (place + 7) & ~(size_t)7;
        uint8_t code = message[place];
        char kind = (char)message[place + 2];
        place += 4;
        if (kind == 'g') {
            place += message[place] + 2u;
            continue;
        }
        uint32_t number = get_number(message + place, is_big);
        place += 4;
        if (code == 5) reply_serial = number;
        if (kind == 'u') continue;
        if (code == 4) error = (const char *)message + place;
        place += number + 1;
    }
    answered(c, reply_serial, type == FAILURE ? error ? error : "" : NULL);
}

// False where the bus has ended it.
static bool receive(Connection *c) {
    while (true) {
        reserve(&c->in, 1 << 16);
        ssize_t count = recv(c->fd, c->in.bytes + c->in.count, c->in.room - c->in.count, 0);
        if (count == 0 || (count < 0 && errno != EAGAIN)) return false;
        if (count < 0) return true;
        c->in.count += (size_t)count;
        size_t place = 0;
        while (c->in.count - place >= 16) {
            const uint8_t *message = c->in.bytes + place;
            bool is_big = message[0] == 'B';
            size_t fields = get_number(message + 12, is_big);
            size_t length = 16 + ((fields + 7) & ~(size_t)7) + get_number(message + 4, is_big);
            if (c->in.count - place < length) break;
            received(c, message, fields);
            place += length;
        }
        memmove(c->in.bytes, c->in.bytes + place, c->in.count - place);
        c->in.count -= place;
    }
}

// MARK: The storm

static void turn(int timeout_ms) {
    for (unsigned i = 0; i < connection_count; i++) {
        Connection *c = &connections[i];
        if (c->out.count > c->sent && !flush(c)) {
            if (!c->is_rogue) die("the bus ended a connection that was in order");
            reconnect(c);
        }
    }
    struct epoll_event events[256];
    int count = epoll_wait(epoll_fd, events, 256, timeout_ms);
    for (int i = 0; i < count; i++) {
        Connection *c = events[i].data.ptr;
        if (receive(c)) continue;
        if (!c->is_rogue) {
            errno = ECONNRESET;
            die("the bus ended a connection that was in order");
        }
        reconnect(c);
    }
}

static unsigned say(double seconds) {
    printf("{\"calls\": %u, \"returned\": %u, \"refused\": %u, \"abandoned\": %u, \"silent\": %u, \"unanswered\": %u,",
           total.calls, total.returned, total.refused, total.abandoned, total.silent, total.in_flight + total.waits);
    printf(" \"stray\": %u, \"unasked\": %u, \"broken\": %u, \"fds\": %u, \"huge\": %u, \"reconnected\": %u,",
           total.stray, total.unasked, total.broken, total.fds, total.huge, total.reconnected);
    printf(" \"connections\": %u, \"seconds\": %.3f, \"errors\": {", connection_count, seconds);
    for (Name *n = names; *n->name; n++) printf("%s\"%s\": %u", n == names ? "" : ", ", n->name, n->count);
    printf("}}\n");
    return total.in_flight + total.waits + total.stray;
}

int main(int count, char **arguments) {
    if (count != 6) {
        fprintf(stderr, "usage: storm ADDRESS SEED CALLS CONNECTIONS RUN\n");
        return 64;
    }
    address = arguments[1];
    state = strtoull(arguments[2], NULL, 10);
    unsigned calls = (unsigned)strtoul(arguments[3], NULL, 10);
    connection_count = (unsigned)strtoul(arguments[4], NULL, 10);
    run_id = arguments[5];
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    connections = calloc(connection_count, sizeof *connections);
    double start = now();
    for (unsigned i = 0; i < connection_count; i++) {
        connect_to_bus(&connections[i]);
        turn(0);
    }
    while (total.calls < calls) {
        while (total.calls < calls && total.in_flight < IN_FLIGHT) {
            Connection *c = &connections[below(connection_count)];
            if (c->is_rogue || c->pending_count == IN_FLIGHT_EACH) {
                if (c->is_rogue) reconnect(c);
                turn(0);
                continue;
            }
            if (one_in(ONE_ENDS_A_CONNECTION)) {
                // In the middle of these, or before they are read.
                for (unsigned i = below(4); i && c->pending_count < IN_FLIGHT_EACH; i--) send_call(c);
                if (one_in(2)) turn(0);
                flush(c);
                reconnect(c);
            } else if (one_in(ONE_IS_BROKEN)) {
                // What it asked for before is not answered either.
                for (; c->pending_count; c->pending_count--) {
                    total.abandoned++;
                    if (c->pending[c->pending_count - 1].is_wait) total.waits--;
                    else total.in_flight--;
                }
                send_broken(c);
            } else if (one_in(ONE_IS_UNASKED)) {
                send_unasked(c);
            } else {
                send_call(c);
            }
        }
        turn(1000);
        if (now() - start > PATIENCE_SECONDS + calls / 1000.0) return say(now() - start), 1;
    }
    double end = now() + PATIENCE_SECONDS;
    while (total.in_flight && now() < end) turn(1000);
    double seconds = now() - start;
    printf("waiting\n");
    fflush(stdout);
    while (total.waits && now() < end) turn(1000);
    return say(seconds) ? 1 : 0;
}
