// Says within which limits it runs.
#include <sys/resource.h>
#include <sg/plugin.hpp>

SG_PLUGIN(registrar) {
    registrar.on("*", [](const sg::Event&, sg::Context& context) {
        rlimit cpu{}, files{};
        ::getrlimit(RLIMIT_CPU, &cpu);
        ::getrlimit(RLIMIT_NOFILE, &files);
        context.logger().info("cpu_s={} open_files={} nice={}", cpu.rlim_cur, files.rlim_cur,
                              ::getpriority(PRIO_PROCESS, 0));
    });
}
