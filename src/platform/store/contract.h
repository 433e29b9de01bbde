#pragma once

// The contract of a store, as tests: what agents and servers rely on, whatever database is behind it. A
// store's own test includes the contract_*.h and instantiates the suite once:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, ::testing::Values(kSqlite), backend_name);
//
// Each test gets a place of its own, and opens it again where durability is the point. Time stands still
// unless a test moves it.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "fixture/counting_random.h"
#include "fixture/manual_clock.h"
#include "holdfast/status.h"
#include "platform/audit_store.h"
#include "platform/identity_store.h"
#include "platform/inbox.h"
#include "platform/links.h"
#include "platform/oidc_store.h"
#include "platform/outbox.h"
#include "platform/run_index.h"
#include "platform/secret_store.h"
#include "platform/store.h"
#include "platform/streams.h"
#include "platform/tool_grant_store.h"

namespace holdfast::platform {

// Where one store is kept: a directory, a schema. What was stored there outlives what was opened.
class StorePlace {
 public:
  struct Opened {
    std::unique_ptr<Store> store;
    std::unique_ptr<Streams> streams;
    IdentityStore* identities = nullptr;  // the store's
    LinkStore* links = nullptr;           // the store's
    InboxStore* inbox = nullptr;          // the store's
    std::unique_ptr<Outbox> outbox;
    SecretStore* secrets = nullptr;    // the store's
    OidcStore* oidc = nullptr;         // the store's
    AuditStore* audit = nullptr;       // the store's
    ToolGrantStore* grants = nullptr;  // the store's
    std::unique_ptr<RunIndex> index;
  };
  virtual ~StorePlace() = default;
  // At most one at a time is open. Clock and random outlive it.
  virtual Result<Opened> open(const Clock& clock, Random& random) = 0;
};

struct StoreBackend {
  const char* name = "";
  std::unique_ptr<StorePlace> (*make_place)() = nullptr;
};

inline std::string backend_name(const ::testing::TestParamInfo<StoreBackend>& info) {
  return info.param.name;
}

class StoreContract : public ::testing::TestWithParam<StoreBackend> {
 protected:
  StoreContract() { open(); }
  ~StoreContract() override { close(); }

  void open() {
    Result<StorePlace::Opened> opened = place_->open(clock_, random_);
    ASSERT_TRUE(opened) << opened.error().to_string();
    store_ = std::move(opened->store);
    streams_ = std::move(opened->streams);
    identities_ = opened->identities;
    secrets_ = opened->secrets;
    oidc_ = opened->oidc;
    audit_ = opened->audit;
    grants_ = opened->grants;
    links_ = opened->links;
    inbox_ = opened->inbox;
    outbox_ = std::move(opened->outbox);
    index_ = std::move(opened->index);
  }
  void close() {
    index_.reset();
    outbox_.reset();
    streams_.reset();
    store_.reset();
  }

  fixture::ManualClock clock_;
  fixture::CountingRandom random_;
  std::unique_ptr<StorePlace> place_ = GetParam().make_place();
  std::unique_ptr<Store> store_;
  std::unique_ptr<Streams> streams_;
  IdentityStore* identities_ = nullptr;
  SecretStore* secrets_ = nullptr;
  OidcStore* oidc_ = nullptr;
  AuditStore* audit_ = nullptr;
  ToolGrantStore* grants_ = nullptr;
  LinkStore* links_ = nullptr;
  InboxStore* inbox_ = nullptr;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<RunIndex> index_;
};

}  // namespace holdfast::platform
