#include "app/node_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

namespace holdfast::app {

namespace {

namespace fs = std::filesystem;
using metrics::Series;

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double pages = 0;
  double resident = 0;
  statm >> pages >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double open_files() {
  double out = 0;
  std::error_code gone;
  for (fs::directory_iterator file("/proc/self/fd", gone); !gone && file != fs::directory_iterator();
       file.increment(gone))
    ++out;
  return out;
}

// Since the epoch. The kernel counts it from its own start.
double process_start_seconds() {
  static const double started = [] {
    std::ifstream stat("/proc/self/stat");
    std::string text(std::istreambuf_iterator<char>(stat), {});
    const std::size_t name_end = text.rfind(')');
    double ticks = 0;
    if (name_end != std::string::npos) {
      std::istringstream fields(text.substr(name_end + 1));
      std::string field;
      for (int i = 0; i < 20 && fields >> field; ++i) ticks = std::strtod(field.c_str(), nullptr);
    }
    std::ifstream uptime("/proc/uptime");
    double up = 0;
    uptime >> up;
    const double now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    return now - up + ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }();
  return started;
}

double file_bytes(const fs::path& path) {
  std::error_code gone;
  const auto size = fs::file_size(path, gone);
  return gone ? 0 : static_cast<double>(size);
}

// Files may go while they are counted.
double bytes_of(const fs::path& path) {
  std::error_code gone;
  double out = 0;
  if (fs::is_directory(path, gone)) {
    for (fs::directory_iterator file(path, gone); !gone && file != fs::directory_iterator();
         file.increment(gone))
      out += file->is_regular_file(gone) ? file_bytes(file->path()) : 0;
    return out;
  }
  for (const char* beside : {"", "-wal", "-shm"}) out += file_bytes(path.string() + beside);
  return out;
}

}  // namespace

void read_process(metrics::Reading& out, const std::string& version) {
  const Series build{{version}, 1};
  out.gauge({"holdfast_build_info", "The version that runs.", "", {"version"}}, std::span(&build, 1));
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  out.counter({"process_cpu_seconds", "Processor time of user and system.", "seconds"},
              seconds_of(used.ru_utime) + seconds_of(used.ru_stime));
  out.gauge({"process_resident_memory_bytes", "Resident memory.", "bytes"}, resident_bytes());
  out.gauge({"process_open_fds", "Open file descriptors."}, open_files());
  out.gauge({"process_start_time_seconds", "When the process started, since the epoch.", "seconds"},
            process_start_seconds());
}

void read_memory(metrics::Reading& out, std::span<const MemoryBudget* const> budgets) {
  std::vector<Series> used;
  std::vector<Series> limits;
  for (const MemoryBudget* one : budgets) {
    used.push_back({{one->what()}, static_cast<double>(one->used())});
    limits.push_back({{one->what()}, static_cast<double>(one->limit())});
  }
  out.gauge({"holdfast_memory_used_bytes", "What is held for others, by budget.", "bytes", {"budget"}}, used);
  out.gauge({"holdfast_memory_limit_bytes", "What a budget may hold.", "bytes", {"budget"}}, limits);
}

void read_engine(metrics::Reading& out, const engine::EngineLoad& load) {
  out.counter({"holdfast_engine_calls", "Calls that came to the engine."}, static_cast<double>(load.calls));
  out.gauge({"holdfast_engine_inbox_bytes", "Calls of this process that wait for the engine.", "bytes"},
            static_cast<double>(load.inbox_bytes));
  out.gauge({"holdfast_engine_executions_cached", "Executions in memory."},
            static_cast<double>(load.executions));
}

void read_stores(metrics::Reading& out, const StoreFiles& stores) {
  std::map<std::string, double> sums;
  for (const auto& [name, path] : stores) sums[name] += bytes_of(path);
  std::vector<Series> series;
  for (const auto& [name, bytes] : sums) series.push_back({{name}, bytes});
  out.gauge({"holdfast_store_size_bytes", "Bytes of files on the disk, by store.", "bytes", {"store"}},
            series);
}

}  // namespace holdfast::app
