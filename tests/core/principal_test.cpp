#include "core/principal.hpp"

#include <gtest/gtest.h>

namespace headway {

namespace {

principal user(std::string id) {
  principal who;
  who.user_id = std::move(id);
  return who;
}

principal service(std::string name, std::set<std::string, std::less<>> scopes) {
  auto who = user(std::move(name));
  who.is_service = true;
  who.scopes = std::move(scopes);
  return who;
}

job_info job_of(std::string user_id) {
  job_info job;
  job.id = "42";
  job.user_id = std::move(user_id);
  return job;
}

} // namespace

TEST(principal_rights, a_user_reads_own_jobs_only) {
  EXPECT_TRUE(may_read(user("anna"), job_of("anna")));
  EXPECT_FALSE(may_read(user("anna"), job_of("bert")));
  EXPECT_FALSE(may_read(user("anna"), job_of("Anna")));
}

TEST(principal_rights, a_user_writes_nothing) { EXPECT_FALSE(may_ingest(user("anna"))); }

TEST(principal_rights, a_service_with_scope_ingest_writes_and_reads_every_job) {
  auto worker = service("worker", {"ingest"});
  EXPECT_TRUE(may_ingest(worker));
  EXPECT_TRUE(may_read(worker, job_of("anna")));
}

TEST(principal_rights, a_service_without_scope_may_nothing_even_with_a_users_name) {
  auto other = service("anna", {"metrics"});
  EXPECT_FALSE(may_ingest(other));
  EXPECT_FALSE(may_read(other, job_of("anna")));
}

TEST(principal_rights, a_scope_counts_only_in_full) {
  EXPECT_FALSE(may_ingest(service("worker", {"ingest:read", "INGEST", "ing"})));
}

TEST(principal_rights, an_empty_user_owns_nothing) { EXPECT_FALSE(may_read(user(""), job_of(""))); }

} // namespace headway
