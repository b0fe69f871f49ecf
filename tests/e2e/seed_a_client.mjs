// The dashboard of existing users, as their document has it (src/lib/websocket.ts and useJobProgress), types and React
// taken away and nothing else changed: it must work unmodified. Usage: seed_a_client.mjs URL TOKEN JOB_ID
import { io } from "socket.io-client";

const VITE_WS_URL = process.argv[2];

class WebSocketService {
  socket = null;
  reconnectAttempts = 0;
  maxReconnectAttempts = 5;

  connect(token) {
    return new Promise((resolve, reject) => {
      const wsUrl = VITE_WS_URL || "http://localhost:8000";

      this.socket = io(wsUrl, {
        auth: { token },
        transports: ["websocket", "polling"],
        reconnection: true,
        reconnectionDelay: 1000,
        reconnectionDelayMax: 5000,
        reconnectionAttempts: this.maxReconnectAttempts,
      });

      this.socket.on("connect", () => {
        console.error("✅ WebSocket connected");
        this.reconnectAttempts = 0;
        resolve();
      });

      this.socket.on("connected", (data) => {
        console.error("📡 Server acknowledged connection:", data);
      });

      this.socket.on("connect_error", (error) => {
        console.error("❌ WebSocket connection error:", error);
        this.reconnectAttempts++;

        if (this.reconnectAttempts >= this.maxReconnectAttempts) {
          reject(new Error("Max reconnection attempts reached"));
        }
      });

      this.socket.on("disconnect", (reason) => {
        console.warn("⚠️ WebSocket disconnected:", reason);
      });

      this.socket.on("error", (error) => {
        console.error("❌ WebSocket error:", error);
      });
    });
  }

  disconnect() {
    if (this.socket) {
      this.socket.disconnect();
      this.socket = null;
    }
  }

  subscribeToJob(jobId, onUpdate) {
    if (!this.socket) {
      throw new Error("WebSocket not connected");
    }

    // Join job room
    this.socket.emit("join_job", { job_id: jobId });

    // Listen for updates
    const handleUpdate = (data) => {
      if (data.job_id === jobId) {
        onUpdate(data);
      }
    };

    this.socket.on("job_update", handleUpdate);
    this.socket.on("job_status", handleUpdate);

    // Return cleanup function
    return () => {
      if (this.socket) {
        this.socket.emit("leave_job", { job_id: jobId });
        this.socket.off("job_update", handleUpdate);
        this.socket.off("job_status", handleUpdate);
      }
    };
  }

  ping(onPong) {
    if (this.socket) {
      this.socket.emit("ping");
      this.socket.once("pong", (data) => {
        console.error("🏓 Pong received:", data);
        onPong(data);
      });
    }
  }

  isConnected() {
    return this.socket?.connected || false;
  }
}

// What JobProgressMonitor would draw, a line of JSON each time.
const wsService = new WebSocketService();
const [, , , token, job] = process.argv;
const jobId = JSON.parse(job);

await wsService.connect(token);
const cleanup = wsService.subscribeToJob(jobId, (data) => {
  console.log(JSON.stringify({ bar: `width: ${data.progress}%`, ...data }));
  if (data.status === "completed" && data.result) {
    wsService.ping((pong) => {
      console.log(JSON.stringify({ pong, connected: wsService.isConnected() }));
      cleanup();
      wsService.disconnect();
    });
  }
});
