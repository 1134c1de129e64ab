// Beside libasan, libubsan writes to standard error whatever its options say: both have a report file, and
// one name for setting it. So a report of undefined behaviour is said once more where the other's reports go.

#include <sanitizer/common_interface_defs.h>

// Of <sanitizer/ubsan_interface.h>, which g++ does not install.
extern "C" void __ubsan_get_current_report_data(const char** kind, const char** message, const char** file,
                                                unsigned* line, unsigned* column, char** address);

// Called by libubsan at the end of every report.
extern "C" __attribute__((visibility("default"))) void __ubsan_on_report() {
    const char *kind = "", *message = "", *file = "";
    unsigned line = 0, column = 0;
    char* address = nullptr;
    __ubsan_get_current_report_data(&kind, &message, &file, &line, &column, &address);
    __sanitizer_report_error_summary(message);
    __sanitizer_print_stack_trace();
}
