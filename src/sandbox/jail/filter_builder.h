#pragma once

// FilterBuilder: a filter of system calls, under construction by libseccomp. Every list is in seccomp.cc and
// seccomp_python.cc.

#include <linux/filter.h>
#include <seccomp.h>
#include <unistd.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

namespace holdfast::sandbox {

// One of libseccomp's, under construction.
class FilterBuilder {
 public:
  explicit FilterBuilder(std::uint32_t otherwise) : context_(seccomp_init(otherwise)) {}
  ~FilterBuilder() {
    if (context_ != nullptr) seccomp_release(context_);
  }
  FilterBuilder(const FilterBuilder&) = delete;
  FilterBuilder& operator=(const FilterBuilder&) = delete;

  void allow(std::initializer_list<int> calls) {
    for (const int call : calls) fine_ = fine_ && seccomp_rule_add(context_, SCMP_ACT_ALLOW, call, 0) == 0;
  }
  void refuse(std::initializer_list<int> calls, int error) {
    for (const int call : calls)
      fine_ = fine_ && seccomp_rule_add(context_, SCMP_ACT_ERRNO(static_cast<unsigned>(error)), call, 0) == 0;
  }
  // Where all these hold of the arguments.
  void allow_where(int call, std::initializer_list<scmp_arg_cmp> all) {
    fine_ = fine_ && seccomp_rule_add_array(context_, SCMP_ACT_ALLOW, call, static_cast<unsigned>(all.size()),
                                            all.begin()) == 0;
  }
  // Where an argument is one of these.
  void allow_only(int call, unsigned argument, std::initializer_list<scmp_datum_t> values) {
    for (const scmp_datum_t value : values) allow_where(call, {{argument, SCMP_CMP_EQ, value, 0}});
  }
  // Where an argument, a set of flags, has none of `flags`.
  void allow_without(int call, unsigned argument, scmp_datum_t flags) {
    const scmp_arg_cmp none{argument, SCMP_CMP_MASKED_EQ, flags, 0};
    fine_ = fine_ && seccomp_rule_add_array(context_, SCMP_ACT_ALLOW, call, 1, &none) == 0;
  }

  std::optional<std::vector<sock_filter>> build() {
    int ends[2];
    if (context_ == nullptr || !fine_ || ::pipe(ends) != 0) return std::nullopt;
    // A filter is smaller than a pipe holds.
    const bool written = seccomp_export_bpf(context_, ends[1]) == 0;
    ::close(ends[1]);
    std::vector<sock_filter> program(BPF_MAXINSNS);
    ssize_t bytes = 0;
    for (ssize_t got = 1; written && got > 0; bytes += got) {
      got = ::read(ends[0], reinterpret_cast<char*>(program.data()) + bytes,
                   program.size() * sizeof(sock_filter) - static_cast<std::size_t>(bytes));
      if (got < 0) got = 0;
    }
    ::close(ends[0]);
    program.resize(static_cast<std::size_t>(bytes) / sizeof(sock_filter));
    if (program.empty()) return std::nullopt;
    return program;
  }

 private:
  scmp_filter_ctx context_;
  bool fine_ = true;
};

}  // namespace holdfast::sandbox
