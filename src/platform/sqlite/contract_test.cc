// SQLite keeps the contract of a store. Each test uses real files.

#include "fixture/temporary_directory.h"
#include "os/thread_executor.h"
#include "platform/contract_approvals.h"
#include "platform/contract_audit.h"
#include "platform/contract_blobs.h"
#include "platform/contract_budgets.h"
#include "platform/contract_completions.h"
#include "platform/contract_conversations.h"
#include "platform/contract_flow.h"
#include "platform/contract_forks.h"
#include "platform/contract_held_runs.h"
#include "platform/contract_identity.h"
#include "platform/contract_labels.h"
#include "platform/contract_links.h"
#include "platform/contract_memory.h"
#include "platform/contract_oidc.h"
#include "platform/contract_outbox.h"
#include "platform/contract_record.h"
#include "platform/contract_run_index.h"
#include "platform/contract_run_settings.h"
#include "platform/contract_runs.h"
#include "platform/contract_secrets.h"
#include "platform/contract_steps.h"
#include "platform/contract_streams.h"
#include "platform/contract_tool_grants.h"
#include "platform/contract_turns.h"
#include "platform/contract_unkept_runs.h"
#include "platform_sqlite/sqlite_store.h"

namespace holdfast::platform {
namespace {

class Directory : public StorePlace {
 public:
  Result<Opened> open(const Clock& clock, Random& random) override {
    SqliteOptions options;
    options.directory = directory_.path();
    Result<OpenStores> opened = open_sqlite(options, clock, random, flusher_);
    if (!opened) return fail(opened.error());
    return Opened{std::move(opened->store),
                  std::move(opened->streams),
                  opened->identities,
                  opened->links,
                  opened->inbox,
                  std::move(opened->outbox),
                  opened->secrets,
                  opened->oidc,
                  opened->audit,
                  opened->grants,
                  std::move(opened->index)};
  }

 private:
  fixture::TemporaryDirectory directory_;
  os::ThreadExecutor flusher_{"flusher"};
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract,
                         ::testing::Values(StoreBackend{
                             "Files",
                             [] -> std::unique_ptr<StorePlace> { return std::make_unique<Directory>(); }}),
                         backend_name);

}  // namespace
}  // namespace holdfast::platform
