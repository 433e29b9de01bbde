#pragma once

// What /metrics says of the process and of what it holds: engine, memory, files (docs/guide/metrics.md). Each
// of these is read at the moment of a reading; any thread.

#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/memory_budget.h"
#include "engine/engine.h"
#include "metrics/registry.h"

namespace holdfast::app {

void read_process(metrics::Reading& out, const std::string& version);
void read_memory(metrics::Reading& out, std::span<const MemoryBudget* const> budgets);
void read_engine(metrics::Reading& out, const engine::EngineLoad& load);

// A store by its name, and the files or folders that it consists of, those beside them included
// ("platform.db-wal").
using StoreFiles = std::vector<std::pair<std::string, std::filesystem::path>>;
void read_stores(metrics::Reading& out, const StoreFiles& stores);

}  // namespace holdfast::app
