/** Programs, jobs, services, data, security, packages. One group per line, read by Lexicon.ts. */
export const software = `
program binary executable application app software exe image process command program_image ~ run execute load code
exec exec_format executable binary_format ~ program run
app application apps program activity package software ~ process service run
process pid proc processes program daemon task child subprocess ~ thread run
child child_process subprocess forked fork spawned ~ process worker parent
parent supervisor master ~ child process
thread threads fiber runnable worker ~ process pool
thread_pool pool pooled ~ thread worker limit size
daemon service background_service background_component background background_process systemd svc ~ process server
service services daemon component servlet ~ server process app
worker workers backend backend_worker workerenv child slave executor ~ process thread task job
executor worker execution_engine ~ task container spark
job jobs workload batch batch_job ~ task application run submit
task tasks work unit_of_work work_item job compute_task ~ attempt stage execute thread
attempt taskattempt task_attempt ~ task try
map mapper mappers map_task mapreduce ~ task reduce job
reduce reducer reducers reduce_task ~ map task job
shuffle ~ map reduce transfer
speculative speculation speculating speculator redundant_attempt redundant backup_task straggler slow_task ~ task duplicate launch attempt
redundant spare extra backup additional ~ duplicate copy
stage phase step pipeline ~ task job
pipeline chain write_pipeline stream ~ stage data
container containers docker pod sandbox cgroup ~ application task kill allocate
driver coordinator spark_driver master ~ executor connect
master application_master appmaster mrappmaster am controller coordinator ~ leader resource
schedule scheduler scheduling allocator dispatch dispatcher planner ~ assign resource queue
resource resources vcores capacity headroom allotment ~ memory cpu container available
queue queued queues enqueue enqueued backlog waiting_line pending ~ wait message send
message messages msg notification event ~ packet receive send text
prefix header preamble ~ message start
event events ~ message log notification
log logs logging logger log_file syslog syslogd klogd logrotate journal ~ record write message history
log_rotation logrotate rotate_logs rotated ~ log old
history record records past archive ~ log job
audit audited auditing trail ~ log security
metric metrics statistics stats stat telemetry counters usage_statistics sqm performance_data measurement ~ report monitor count upload
monitor monitoring watch watching probe observe supervise ~ metric check poll
poll polling polled probe ~ check monitor request
probe probing scan scanning scanned discover enumerate ~ find check device
heartbeat keepalive keep_alive ping liveness ~ alive check timeout
shutdown_hook signal_handler signal signals sigterm sighup sigint handler ~ interrupt kill register
handler callback listener hook receiver ~ event register call
authenticate authentication auth authenticated login logon signin sign_in log_in logged_in log_on sign_on signing_in logged_on signed_in identity verify_identity ~ password user credential session access pam
login_failure failed_login wrong_password failed_password authentication_failure bad_password invalid_password incorrect_password login_failed login_rejected ~ authenticate fail user password
password passwd pass passphrase passcode pin credential credentials secret ~ authenticate login key
credential credentials password token key secret keytab ticket ~ authenticate identity
kerberos krb klogind krb5 kdc ticket ~ authenticate
logout logoff sign_out signed_out log_out logged_out logged_off session_closed left ~ session disconnect user close
session sessions ~ login connection user
user account person people somebody someone username login_name who visitor uid identity ~ client login
nonexistent_account invalid_user unknown_user user_unknown illegal_user no_such_user unknown_account nonexistent_user ~ user invalid login authenticate
root superuser administrator admin su sudo privileged elevated ~ user permission login
guest anonymous visitor unnamed ~ user login
permission permissions right rights privilege privileges privileged access_rights authorization authorised authorized acl acls permitted allowed ~ deny forbid access user
permission_denied access_denied no_rights no_right no_permission not_permitted not_allowed unauthorized unauthorised forbidden operation_not_permitted denied insufficient_rights insufficient_permission due_to_access_rights does_not_hold has_no_right eacces eperm ~ permission deny reject refuse block
access accessed accessing entry admission ~ permission open read connect use
acl access_control view_acls modify_acls ~ permission
security secure selinux apparmor lsm protection safety mandatory_access_control ~ permission authenticate attack encrypt
mandatory_access_control selinux apparmor lsm ~ security policy enforce permissive
enforce enforcing enforced permissive ~ policy security deny
policy policies rule rules ~ security configuration
privacy private confidential personal_data ~ data user consent
certificate cert certificates tls ssl x509 https ca trust handshake ~ encrypt key secure expired verify
encrypt encryption encrypted cipher crypto cryptographic cryptography decrypt ~ secure key tls
key keys ssh_key host_key public_key private_key pubkey rsa dsa ~ authenticate certificate
ssh sshd secure_shell openssh remote_login remote_shell ~ login session key
token tokens secret_keys bearer ticket ~ credential authenticate
database db sql postgres mysql sqlite oracle mongodb ~ query table transaction store
query sql select statement ~ database ask search
transaction transactions tx ~ commit database rollback
rollback rolled_back undo revert reverted ~ transaction cancel
table tables index schema column ~ database
insert inserted bulk_save ~ add write database
data information info payload content contents dataset record ~ file value
dataset data_set rdd partition ~ data split cached
broadcast broadcasts shared_variable announce publish multicast ~ send variable
variable value values parameter setting ~ data config
cached_data memorystore memory_store in_memory ~ cache memory block
in_memory_store memory_store memorystore ~ memory block
recompute computing_it recalculate computing ~ calculate again
config configuration configure configured config_file conf setting settings option options parameter parameters preference properties property cfg configured_out ~ file set change load
configured_out removed_from_configuration removed_from_the_setup taken_out ~ remove configure
version versions release build revision edition ~ update old software
install installed installing installation installer setup trustedinstaller servicing_stack deploy deployment provision ~ package update component
uninstall uninstalled ~ remove package
package packages bundle rpm deb apk cab module update_bundle ~ install software
update updates patch patches hotfix servicing windows_update windowsupdateagent upgrade cbs ~ install package new trustedinstaller
update_service trustedinstaller windows_update installer installer_service ~ service update
component_store winsxs csi servicing component ~ package store windows
manifest metadata description ~ package file
registry hive registry_key regedit ~ windows configuration key
reboot restart pending_reboot reboot_required must_be_restarted restart_needed needs_a_restart needs_restart ~ boot pending
dll library lib shared_library module ~ load file
windows microsoft nt win vendor ~ system
vendor manufacturer microsoft apple supplier ~ company
cloud aws gcp azure s3 internet online server_side remote_copy ~ remote upload
internet web online cloud ~ network
api endpoint rest rpc ipc remote_call grpc ~ request service call
openstack nova glance neutron keystone cinder ~ cloud instance image
image images disk_image template base_file ~ file vm snapshot
instance_lifecycle vm_started vm_stopped vm_paused ~ instance
spawn spawned create_instance building claim ~ start create instance
base_file base_files image_cache ~ image cache unused
jvm java jar vm_process java_process ~ process heap
php python perl ruby script interpreter ~ program
web_console web_interface web_ui webapp web_app ui dashboard admin_page user_interface gui ~ http page server
command cmd commands subcommand subcommands order instruction ~ execute run
script scripts cron crond crontab scheduled_job ~ command run job
filter filters filtered ~ select
node_map mapping_file map_file node_map_file node_mapping_file ~ file mapping config
line lines field fields ~ file text
mapreduce hadoop yarn mr ~ job map reduce
spark rdd ~ executor job
split splits input_split partition shard slice ~ data block
partition partitions shard ~ split disk data
size length bytes volume ~ large count memory
source origin sender src from ~ destination
destination target dest dst to ~ source send
report reports reporting sample ~ upload send status
number_of_retries max_retries retry_policy ~ retry
shell bash sh ~ command console
descriptor handle fd file_descriptor bad_file_descriptor too_many_open_files open_files ~ file socket
stream streams streaming ~ data socket channel
snapshot checkpoint snapshotting ~ save
election vote ~ leader
lifecycle state_change ~ state start stop
exclusive lock owner ownership ~ lock
license licence licensing entitlement activation ~ expired
payment billing order invoice card ~ money
price cost ~ money
customer order checkout cart ~ user
test tests testing self_test ~ check
notification notifications notify notified alert push_message popup ~ message bar event
ack acknowledge acknowledgement confirm ~ response
`
