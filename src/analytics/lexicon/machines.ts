/** Hardware, operating system, memory, storage and network. One group per line, read by Lexicon.ts. */
export const machines = `
machine host server node computer box instance system vm hypervisor workstation nodes hosts ~ peer slave worker member
vm virtual_machine instance guest domain ~ machine hypervisor server
hypervisor libvirt qemu kvm xen compute_host compute_node ~ vm instance host
overheat overheating overheated too_hot too_warm warm hot heat thermal celsius temperature temp temperatures ambient ~ fan cool exceed warning high threshold degrees
cool cooling cold ~ fan temperature
fan fans blower blowers ventilator cooling ~ speed rpm temperature
power electricity electric electrical voltage volt current supply watt wattage amp ~ psu battery outage energy
psu power_supply power_supplies power_unit ~ power voltage failure
hardware device physical component equipment hw machinery ~ machine card board chip
component part module unit subsystem ~ hardware card service
board card node_card nodecard motherboard blade assembly midplane slot service_card ~ hardware chip module processor
chip asic ido processor circuit silicon ~ card hardware cpu
cpu processor core processors cores smp proc ~ chip mhz hyperthread compute
opcode instruction instr machine_code illegal_instruction ~ cpu program execute unimplemented operation
operation operations action ~ instruction task command
register registers ~ cpu state dump
float floating_point floating fpu fp arithmetic double_hummer ~ number exception math
alignment misaligned unaligned align aligned byte_order byte_ordering ~ address exception memory
interrupt irq interrupts signal trap exception ~ cpu kernel critical device
machine_check mce hardware_fault hardware_error machine_check_exception ~ hardware cpu error check
tlb translation_lookaside address_translation virtual_address translation page_table translation_buffer ~ memory cache page mmu
memory ram dram ddr dimm edram heap mem memories sdram lowmem highmem working_memory main_memory ~ allocate swap cache page storage
oom out_of_memory memory_exhausted no_memory not_enough_memory low_memory lowmemorykiller lmk reclaim_memory reclaim ~ memory kill exhausted allocate heap
heap java_heap gc garbage_collector garbage_collection ~ memory jvm
cache caches cached caching icache dcache l1 l2 l3 buffer prefetch ~ memory store hit
parity ecc bit_flip bit_error checksum crc single_bit bit correctable symbol ~ error corrupt memory correct cache detected
page pages paging swap swapped page_fault swapping ~ memory disk
buffer buffered ring_buffer scratchpad ~ memory cache full queue
address addresses addr pointer location ~ memory ip number
segment segmentation segfault access_violation ~ memory crash address
kernel os operating_system linux unix rts compute_node_kernel darwin vmunix ~ system boot panic driver
driver drivers module kernel_module kext ~ kernel device hardware load
firmware bios uefi acpi srm efi rom microcode ~ boot hardware version old kernel
legacy_bus isa isapnp pnp plug_and_play ~ pci bus device
bus pci usb scsi isa sata pcmcia hotplug ~ device slot hardware port
usb hub dongle stick removable_drive plug_in ~ bus device
disk drive hard_drive hard_disk harddisk hdd ssd volume storage scsi raid partition spindle platter dm lun sda hda ~ filesystem space block io device file
storage store disk volume datastore repository ~ space save file memory block
space disk_space room capacity free_space ~ full disk size storage quota
filesystem file_system fs vfs ext3 ext4 xfs lustre gpfs nfs volume partition clusterfilesystem serverfilesystem domain ~ disk mount file directory storage domain
parallel_file_system cluster_file_system distributed_file_system shared_file_system lustre gpfs hdfs dfs clusterfilesystem ~ filesystem mount storage
mount mounted mounting attach attached automount attaching remount ~ filesystem nfs volume share disk
unmount umount unmounted dismount detach eject ~ mount remove filesystem
nfs network_share network_drive share shared_folder network_file_system file_share smb cifs samba ~ mount filesystem server export
file files document filename ~ path disk directory open read
directory dir folder folders directories chdir path ~ file list index filesystem home
list listing index contents enumerate enumerated enumeration ~ show directory scan
path location pathname ~ file directory
home home_directory home_folder chdir ~ directory user
inode dentry superblock ~ filesystem cache
io i_o input_output io_error input_output_error disk_problem read_error write_error ~ disk read write device error
quota quotas disk_quota ~ limit space exceed
block chunk piece blk data_block replica block_id data_piece data_chunk ~ data storage file split partition
replica replication replicate replicas copies copy ~ block copy data datanode
datanode data_node storage_node ~ node block hdfs replica
namenode name_node namesystem fsnamesystem ~ hdfs block master
hdfs dfs hadoop ~ block filesystem datanode namenode
backup back_up archive archived snapshot dump ~ copy save restore
snapshot image checkpoint dump ~ backup save copy
archive cab zip tar compressed compress gz ~ backup file log package
read_only readonly not_writeable not_writable write_protected immutable cannot_write ~ write permission disk image
network net lan ethernet networking wire tcp ip ~ interface link connect packet
interface nic network_interface network_card network_adapter adapter eth0 eth ee0 alt0 en0 port ethernet gige network_port ~ link network device niff airport
link cable wire wires port carrier connection uplink interconnect ~ interface network connect down
interconnect torus tree fabric switch infiniband quadrics mesh myrinet ib ~ network link node packet
switch switch_module router hub gateway ~ network port interconnect
packet packets frame datagram message header ~ network receive send drop
port ports listen listening bind bound socket ~ address server
socket sockets connection stream channel descriptor pipe fd ~ port connect network peer tcp
connect connected connecting connection connections conn link contact contacting reach establish established dial handshake session ~ socket network peer open server
disconnect disconnected disconnecting lost_connection connection_lost severed cut dropped_connection hang_up hung_up connection_closed link_cut broken_pipe ~ close lost reset down socket peer goodbye
reconnect reconnected reconnecting connect_again ~ retry connect recover
unreachable cannot_reach no_route no_route_to_host cannot_connect could_not_connect couldnt_connect unable_to_connect not_responding no_network_path contact ~ down unresponsive network host connect timeout refuse fail
route routes routing network_path gateway no_route no_route_to_host ~ network path host unreachable
reset connection_reset reset_by_peer abruptly closed_abruptly ~ disconnect close peer restart
peer other_side other_end remote_end counterpart remote_host neighbor neighbour ~ host client remote
client caller customer consumer requester visitor ~ user connection peer
server service daemon backend endpoint ~ host machine process
ip ip_address address addresses inet ipv4 ipv6 ~ host network dhcp
dns name_resolution resolver resolve nameserver name_server named bind hostname domain_name lookup reverse_mapping getaddrinfo soa zone ~ host name address
hostname host_name computer_name ~ dns name machine
dhcp lease ip_lease dhcpd dhclient address_lease dhcpdiscover dhcpoffer dhcprequest ~ address ip network
lease leases renew renewal renewed ~ expire dhcp lock file
proxy proxies socks tunnel relay intermediary via ~ connect http gateway client
firewall iptables netfilter filter packet_filter hooks ~ block network security deny
vpn tunnel ipsec ~ network connect secure
bandwidth throughput traffic bytes transferred_bytes data_volume rate ~ network speed sent received
byte bytes octets ~ size data traffic
wifi wlan wireless wi_fi airport access_point ssid bssid ~ network radio connect roam
bluetooth bt hci hcid a2dp sco headset ~ wireless device
sync_loss resynch out_of_sync re_synch ~ sync
loopback localhost lo ~ network interface local
http web www website webserver web_server apache httpd nginx url uri page site jetty ~ server request browser
browser safari chrome firefox webkit ~ http web page
mail email e_mail smtp sendmail postfix mta mailer imap inbox ~ message send queue delivery
ftp file_transfer file_transfer_service sftp ftpd ~ transfer upload file login anonymous
snmp monitoring_poll snmpd mib ~ monitor packet
ntp clock time_sync timesource tsc time_source clock_source ntpd synchronize ~ time sync drift
time clock date timestamp tick hour minute second ~ day ntp schedule
clock time_source tsc oscillator ~ time mhz frequency
day midnight date daily next_day tomorrow today new_day day_changed ~ time change
console terminal tty serial prompt screen command_line shell ~ login display
printer print printing cups cupsd lpd spooler ~ job daemon
mouse intellimouse mice pointing_device gpm trackpad ~ input device
keyboard key keys keypress keycode button ~ input press
monitor graphics video gpu vga framebuffer display agp igpu ~ screen card
laptop notebook lid ~ sleep wake battery
sleep hibernate standby suspend ~ wake power
wake awake woke wakeup ~ sleep resume
dark_wake maintenance_wake ~ wake sleep
thunderbolt firewire ~ bus port
camera facetime webcam ~ video image device
infiniband ib hca subnet openib opensm ib_sm sm sweep sweeping ~ interconnect network switch
cluster clusters membership nodeset nodesets quorum ensemble federation ~ node member group
quorum election leader leading following follower vote elected leaderelection looking ~ cluster peer node zookeeper
zookeeper zk zookeeper_server ~ quorum session cluster znode
leader master primary coordinator head driver ~ quorum elect follower
follower slave secondary replica worker backup_node ~ leader
resource_manager rm resourcemanager resource_scheduler yarn scheduler cluster_manager ~ container allocate cluster master resource
contact contacting get_in_touch communicate communicating reach ~ connect unreachable
core_dump core core_file crash_dump dump_file coredump ~ crash dump generate file
debug debugger debugging gdb trace tracing ~ log developer
coordinate dimension z_coordinate axis ~ map
map mapping mapped maps ~ assign coordinate node
logical_rank rank ranks canonical_rank ~ map mpi
serial serial_number ecid vpd mcardsernum identification ~ number id card
inventory database_of_hardware vpd inserted ~ discover list database
temperature_sensor sensor sensors accelerometer gyro ~ device measure
`
