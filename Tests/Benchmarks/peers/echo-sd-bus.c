/* A service on sd-bus that answers `Reply(u size)` with a text of that size: echo-sd-bus ADDRESS. It says "ready". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

static int reply(sd_bus_message *call, void *user, sd_bus_error *error)
{
    (void)user;
    (void)error;
    if (!sd_bus_message_is_method_call(call, "org.example.Bench", "Reply")) return 0;
    uint32_t size;
    sd_bus_message *answer = NULL;
    char *text;
    int code = sd_bus_message_read(call, "u", &size);
    if (code >= 0) code = sd_bus_message_new_method_return(call, &answer);
    /* In place, which is the quickest that it has. */
    if (code >= 0) code = sd_bus_message_append_string_space(answer, size, &text);
    if (code >= 0) {
        memset(text, 'x', size);
        text[size] = 0;
        code = sd_bus_send(NULL, answer, NULL);
    }
    sd_bus_message_unref(answer);
    return code < 0 ? code : 1;
}

int main(int count, char **arguments)
{
    sd_bus *bus = NULL;
    if (count != 2 || sd_bus_new(&bus) < 0 || sd_bus_set_address(bus, arguments[1]) < 0 ||
        sd_bus_set_bus_client(bus, 1) < 0 || sd_bus_start(bus) < 0 ||
        sd_bus_add_object(bus, NULL, "/bench", reply, NULL) < 0 ||
        sd_bus_request_name(bus, "org.example.Bench", 0) < 0)
        return 1;
    puts("ready");
    fflush(stdout);
    for (;;) {
        int code = sd_bus_process(bus, NULL);
        if (code == 0) code = sd_bus_wait(bus, UINT64_MAX);
        if (code < 0) return 1;
    }
}
